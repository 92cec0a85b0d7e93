// The dashboard's files in one piece of memory; its layout is told in martlet_ui.h.

import CMartletUI
import MartletModel

/// One file of the dashboard.
struct Asset: Sendable {
  var type: String
  /// Lower-case hexadecimal.
  var etag: String
  var isGzip: Bool
  /// As they are stored.
  var bytes: [UInt8]

  /// The bytes for a client that cannot take gzip.
  var plain: [UInt8] {
    get throws { isGzip ? try gunzip(bytes) : bytes }
  }
}

struct AssetPack: Sendable {
  struct Damaged: Error, CustomStringConvertible {
    var description: String { "the dashboard's pack is damaged: build it again with scripts/ui-build" }
  }

  private let assets: [String: Asset]

  subscript(path: some StringProtocol) -> Asset? { assets[String(path)] }
  var paths: [String] { assets.keys.sorted() }

  /// The pack that was compiled into this program.
  static func embedded() throws -> AssetPack {
    try AssetPack(Array(UnsafeBufferPointer(start: martlet_ui_pack(), count: martlet_ui_pack_len())))
  }

  init(_ pack: [UInt8]) throws {
    guard pack.count >= 4 else { throw Damaged() }
    let length = pack[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard pack.count >= 4 + length, let index = try JSONValue.parse(pack[4..<(4 + length)]).array else {
      throw Damaged()
    }
    var assets: [String: Asset] = [:]
    for entry in index {
      guard let path = entry["path"]?.string, let type = entry["type"]?.string,
        let etag = entry["etag"]?.string,
        let offset = entry["offset"]?.int, let size = entry["len"]?.int, let isGzip = entry["gzip"]?.bool,
        offset >= 0, size >= 0, offset <= pack.count, size <= pack.count - 4 - length - Int(offset)
      else { throw Damaged() }
      let start = 4 + length + Int(offset)
      assets[path] = Asset(
        type: type, etag: etag, isGzip: isGzip, bytes: Array(pack[start..<(start + Int(size))]))
    }
    self.assets = assets
  }
}
