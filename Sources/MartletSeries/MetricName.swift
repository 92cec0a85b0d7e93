// What may be a metric's name.

public enum MetricName {
  /// Bytes of UTF-8 in a metric's name, at most.
  public static let limit = 512

  /// What forbids this name, as words that follow the name of what holds it ("'values' …"); nil: nothing.
  ///
  /// - Parameter name: in normal form C.
  public static func fault(of name: String) -> String? {
    if name.isEmpty || name.utf8.count > limit {
      return "holds a name of \(name.utf8.count) bytes; 1 to \(limit) are allowed"
    }
    if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      return "holds a name with a control character"
    }
    return nil
  }
}
