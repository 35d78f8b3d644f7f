#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A moment as calendars write it.
package struct CalendarTime: Hashable, Sendable {
  package var year: Int
  /// 1 to 12.
  package var month: Int
  /// 1 to 31.
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int
  /// 0 is Sunday.
  package var weekday: Int
  /// The abbreviation of the time zone.
  package var zone: String

  /// The time in UTC, at seconds since 1970.
  ///
  /// *Source*: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  package init(utc seconds: Int64) {
    let days = Int(seconds.flooredDivision(by: 86400))
    let secondOfDay = Int(seconds) - days * 86400
    let shifted = days + 719_468
    let era = Int(Int64(shifted).flooredDivision(by: 146_097))
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = secondOfDay / 3600
    minute = secondOfDay / 60 % 60
    second = secondOfDay % 60
    // 1 January 1970 was a Thursday.
    weekday = ((days + 4) % 7 + 7) % 7
    zone = "UTC"
  }

  /// The time in the zone of this process (`TZ` or the system's), at seconds since 1970.
  package init(local seconds: Int64) {
    var time = time_t(seconds)
    var fields = tm()
    // Every zone has a local time for every second; were there none, the fields stay zero, which is 1900.
    localtime_r(&time, &fields)
    year = Int(fields.tm_year) + 1900
    month = Int(fields.tm_mon) + 1
    day = Int(fields.tm_mday)
    hour = Int(fields.tm_hour)
    minute = Int(fields.tm_min)
    second = Int(fields.tm_sec)
    weekday = Int(fields.tm_wday)
    zone = fields.tm_zone.map { String(cString: $0) } ?? "UTC"
  }
}

/// How times are written.
package enum TimeStyle: Hashable, Sendable {
  /// `2026-11-23T06:23:00.123Z`
  case iso
  /// `Mon Nov 23 06:23:00 UTC 2026`, as `java.util.Date.toString` does, in the zone of this process.
  case javaLocal
  /// The same in UTC.
  case javaUTC

  /// The text of a time given in milliseconds since 1970.
  package func text(milliseconds: Int64) -> String {
    let seconds = milliseconds.flooredDivision(by: 1000)
    switch self {
    case .iso:
      // The product alone may be out of range: a server may send any number for a time.
      let fraction = Self.padded(Int(milliseconds &- seconds &* 1000), 3)
      return Self.isoSeconds(CalendarTime(utc: seconds)) + ".\(fraction)Z"
    case .javaLocal: return Self.java(CalendarTime(local: seconds))
    case .javaUTC: return Self.java(CalendarTime(utc: seconds))
    }
  }

  /// The milliseconds since 1970 of a date, or a date and time, of ISO 8601 in UTC: `2026-11-23`,
  /// `2026-11-23T06:23:00Z`, `2026-11-23T06:23:00.123Z`.
  ///
  /// *Source*: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
  ///
  /// - Returns: nil for any other text.
  package static func milliseconds(iso text: String) -> Int64? {
    let parts = text.split(separator: "T", maxSplits: 1)
    func numbers(_ text: Substring, _ separator: Character, _ widths: [Int]) -> [Int64]? {
      let fields = text.split(separator: separator, omittingEmptySubsequences: false)
      guard fields.map(\.utf8.count) == widths, fields.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
      else { return nil }
      return fields.compactMap { Int64($0) }
    }
    guard let day = parts.first, let date = numbers(day, "-", [4, 2, 2]), (1...12).contains(date[1]),
      (1...31).contains(date[2])
    else { return nil }
    let year = date[1] <= 2 ? date[0] - 1 : date[0]
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (date[1] > 2 ? date[1] - 3 : date[1] + 9) + 2) / 5 + date[2] - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    guard parts.count == 2 else { return days * 86_400_000 }
    guard parts[1].hasSuffix("Z") else { return nil }
    let fields = parts[1].dropLast().split(separator: ".", maxSplits: 1)
    guard let clock = fields.first.flatMap({ numbers($0, ":", [2, 2, 2]) }), clock[0] < 24, clock[1] < 60, clock[2] < 60
    else { return nil }
    guard let fraction = fields.count == 2 ? numbers(fields[1], ".", [3])?.first : 0 else { return nil }
    return ((days * 24 + clock[0]) * 60 + clock[1]) * 60_000 + clock[2] * 1000 + fraction
  }

  /// `2026-11-23T06:23:00Z`: where a millisecond more or less does not matter.
  package static func shortText(milliseconds: Int64) -> String {
    isoSeconds(CalendarTime(utc: milliseconds.flooredDivision(by: 1000))) + "Z"
  }

  private static func isoSeconds(_ time: CalendarTime) -> String {
    "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))T\(clock(time))"
  }

  private static func java(_ time: CalendarTime) -> String {
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][time.weekday]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return "\(weekday) \(months[time.month - 1]) \(padded(time.day, 2)) \(clock(time)) \(time.zone) \(time.year)"
  }

  private static func clock(_ time: CalendarTime) -> String {
    "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension Int64 {
  /// Division that rounds down, for times before 1970.
  fileprivate func flooredDivision(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
