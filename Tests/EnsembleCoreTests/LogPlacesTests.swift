import EnsembleCore
import Testing
import TxnLog
import ZooKeeperProtocol

@Suite struct LogPlacesTests {
  private func place(_ segment: Int64, _ last: Int64, _ offset: Int) -> LogPlace {
    LogPlace(segment: Zxid(rawValue: segment), last: Zxid(rawValue: last), offset: offset)
  }

  private func found(_ places: LogPlaces, _ zxid: Int64) -> Int64? {
    places.place(notAfter: Zxid(rawValue: zxid))?.last.rawValue
  }

  @Test func theNearestEarlierPlaceIsFound() {
    var places = LogPlaces()
    #expect(found(places, 5) == nil)
    for number in Int64(1)...50 { places.note(place(1, number * 10, Int(number) << 20)) }
    for number in Int64(51)...60 { places.note(place(501, number * 10, Int(number - 50) << 20)) }
    #expect(found(places, 9) == nil)
    for zxid in Int64(10)...700 { #expect(found(places, zxid) == min(zxid / 10 * 10, 600)) }
  }

  /// Places are a mebibyte apart, and those of a new segment are kept whatever their offset.
  @Test func thereAreFewPlaces() {
    var places = LogPlaces()
    for number in Int64(1)...4096 { places.note(place(1, number, Int(number) << 10)) }
    #expect(found(places, 1) == 1 && found(places, 1024) == 1 && found(places, 1025) == 1025)
    places.note(place(4097, 4097, 100))
    #expect(found(places, 5000) == 4097)
  }

  @Test func theOldestPlacesGo() {
    var places = LogPlaces()
    for number in Int64(1)...10_000 { places.note(place(1, number, Int(number) << 20)) }
    #expect(found(places, 1) == nil && found(places, 10_000) == 10_000 && found(places, 8000) == 8000)
  }
}
