// Which devices a server shares out, as people say it.

package import MartletModel

/// What `--devices` says.
package enum DeviceChoice: Sendable, Hashable {
  /// A device that is said to be there.
  package struct Declared: Sendable, Hashable {
    /// Bytes; nil: not known.
    package var memory: Int64?
    /// Nil: as all others.
    package var slots: Int?

    package init(memory: Int64? = nil, slots: Int? = nil) {
      self.memory = memory
      self.slots = slots
    }
  }

  /// Those that drivers tell of.
  case auto
  case none
  case declared([Declared])

  /// Most devices that may be declared.
  package static let most = 4_096

  package static func count(_ count: Int) -> DeviceChoice {
    count > 0 ? .declared(Array(repeating: Declared(), count: count)) : .none
  }

  /// `auto`, `none`, `8`, `8x24GB`, `8x24GB/3` (count × memory / slots), and lists of those: `24GB,24GB,80GB/2`.
  ///
  /// - Throws: `Problem.badRequest`.
  package init(parsing text: String) throws(Problem) {
    let word = text.filter { !$0.isWhitespace }
    switch word {
    case "auto": self = .auto
    case "none", "0": self = .none
    default:
      var devices: [Declared] = []
      for item in word.split(separator: ",", omittingEmptySubsequences: false) {
        let group = try Self.group(String(item), in: text)
        guard devices.count + group.count <= Self.most else {
          throw Problem(.badRequest, "'\(text)' declares more than \(Self.most) devices.")
        }
        devices += Array(repeating: group.device, count: group.count)
      }
      self = .declared(devices)
    }
  }

  private static func group(
    _ item: String, in text: String
  ) throws(Problem) -> (count: Int, device: Declared) {
    func wrong(_ reason: String) -> Problem {
      Problem(
        .badRequest, "'\(text)' does not say which devices there are: \(reason).",
        hint: "Say auto, none, 8, 8x24GB, 8x24GB/3 (count x memory / slots), or a list like 24GB,24GB,80GB/2."
      )
    }
    var device = Declared()
    let halves = item.split(separator: "/", omittingEmptySubsequences: false)
    guard let first = halves.first, !first.isEmpty, halves.count <= 2 else {
      throw wrong(item.isEmpty ? "a device is missing" : "'\(item)' is no device")
    }
    if halves.count == 2 {
      guard let slots = Int(halves[1]), (1...1_000).contains(slots) else {
        throw wrong("'\(halves[1])' is no number of slots")
      }
      device.slots = slots
    }
    func count(_ word: Substring) throws(Problem) -> Int {
      guard let count = Int(word), count >= 1, count <= most else {
        throw wrong("'\(word)' is no number of devices from 1 to \(most)")
      }
      return count
    }
    let parts = first.split(separator: "x", omittingEmptySubsequences: false)
    if parts.count == 1, first.allSatisfy({ $0.isASCII && $0.isNumber }) { return (try count(first), device) }
    guard parts.count <= 2, let size = parts.last, !size.allSatisfy({ $0.isASCII && $0.isNumber }),
      let memory = ByteCount.parse(String(size))
    else { throw wrong("'\(first)' is neither a count nor a size like 24GB") }
    device.memory = memory
    return (try parts.count == 2 ? count(parts[0]) : 1, device)
  }
}
