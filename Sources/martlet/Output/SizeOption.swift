// Sizes as people write them.

import ArgumentParser

extension Words {
  /// Powers of ten and of two, as in sweep files.
  private static let sizes: [String: Double] = [
    "": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 0x1p10, "MiB": 0x1p20,
    "GiB": 0x1p30, "TiB": 0x1p40,
  ]

  /// Reads "20GB", "1.5 GiB", "512MiB" or plain bytes; nil when it is none of these, or not above zero.
  static func byteCount(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = String(text.dropFirst(digits.count).drop { $0 == " " })
    guard let number = Double(digits), let factor = sizes[unit] else { return nil }
    let bytes = (number * factor).rounded(.up)
    return bytes >= 1 && bytes < 0x1p50 ? Int64(bytes) : nil
  }

  /// The same of an option.
  static func size(_ text: String, of option: String) throws(ValidationError) -> Int64 {
    guard let bytes = byteCount(text) else {
      throw ValidationError("\(option) '\(text)' is no size; write 20GB, 1.5GiB or 512MiB.")
    }
    return bytes
  }
}
