// What a trial may use at most, as its sweep's file says it.

package import MartletModel
package import MartletSearch

extension NeedsRule {
  /// The memory that it needs is also the most that it gets.
  package func limits(of point: Point) -> Result<AttemptLimits, Unclear> {
    do throws(Unclear) {
      return .success(try clearLimits(of: point))
    } catch {
      return .failure(error)
    }
  }

  func clearLimits(of point: Point) throws(Unclear) -> AttemptLimits {
    func count(_ amount: Amount?, _ key: String, _ range: ClosedRange<Int64>) throws(Unclear) -> Int? {
      guard let amount else { return nil }
      return Int(try Self.value(amount, key, range, point))
    }
    return AttemptLimits(
      memory: try Self.bytes(memory, "memory", point).flatMap { $0 > 0 ? $0 : nil },
      cpus: try count(cpus, "cpus", 1...65_536), output: try Self.bytes(output, "output", point),
      openFiles: try count(openFiles, "open_files", 16...(1 << 30)))
  }
}
