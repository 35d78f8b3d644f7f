import Testing

@testable import ServerCore

/// The buckets of distributions, and how far what is reported of them may be from the truth.
@Suite struct HistogramTests {
  @Test func everyNumberHasOneBucket() {
    var next = 0
    for bucket in 0..<Histogram.bucketCount {
      let range = Histogram.numbers(in: bucket)
      #expect(range.lowerBound == next, "bucket \(bucket)")
      #expect(Histogram.bucket(of: range.lowerBound) == bucket)
      #expect(Histogram.bucket(of: range.upperBound) == bucket)
      next = range.upperBound + 1
    }
    #expect(next == 1 << 40)
  }

  @Test func nothingIsReportedOfNothing() {
    let distribution = Histogram().distribution
    #expect(distribution == Distribution())
    #expect(distribution.mean == 0 && distribution.quantile(0.99) == 0)
  }

  /// A slow oracle: the numbers themselves, sorted.
  @Test(arguments: [1, 10, 1000, 1_000_000, 1 << 39]) func quantilesAreWithinTheErrorBound(limit: Int) {
    var numbers: [Int] = []
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<5000 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      // Small numbers are as frequent as large ones are rare, as with latencies.
      numbers.append(Int(state % UInt64(limit)) >> Int(state >> 60))
    }
    var histogram = Histogram()
    for number in numbers { histogram.add(number) }
    let distribution = histogram.distribution
    numbers.sort()
    #expect(distribution.count == numbers.count)
    #expect(distribution.sum == numbers.reduce(0, +))
    #expect(distribution.minimum == numbers.first)
    #expect(distribution.maximum == numbers.last)
    for level in Distribution.levels {
      let rank = Int((level * Double(numbers.count)).rounded(.up))
      let (truth, found) = (numbers[rank - 1], distribution.quantile(level))
      #expect(abs(found - truth) * 16 <= truth, "\(level): \(found) instead of \(truth)")
    }
  }

  @Test func aNumberCanCountSeveralTimes() {
    var histogram = Histogram()
    histogram.add(5, count: 3)
    histogram.add(1)
    #expect(histogram.distribution.count == 4)
    #expect(histogram.distribution.sum == 16)
    #expect(histogram.distribution.quantile(0.5) == 5)
  }

  @Test func numbersThatHaveNoBucketCountInTheLastOnes() {
    var histogram = Histogram()
    histogram.add(-7)
    histogram.add(.max)
    let distribution = histogram.distribution
    #expect(distribution.minimum == 0)
    #expect(distribution.maximum == (1 << 40) - 1)
    #expect(distribution.count == 2)
  }

  @Test func resetForgetsEverything() {
    var histogram = Histogram()
    histogram.add(100)
    histogram.reset()
    #expect(histogram.distribution == Distribution())
    histogram.add(3)
    #expect(histogram.distribution.minimum == 3)
  }

  @Test func namespacesAreLimited() {
    var histograms = NamespaceHistograms()
    for number in 0..<(NamespaceHistograms.limitCount + 50) { histograms.add(number, under: "/n\(number)/x") }
    histograms.add(7, under: "/n3")
    histograms.add(9, under: "/")
    let all = histograms.distributions
    #expect(all.count == NamespaceHistograms.limitCount)
    #expect(all[3].name == "n3" && all[3].1.count == 2 && all[3].1.sum == 10)
  }
}
