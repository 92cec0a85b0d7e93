// Messages to clients of the live feed as WebSocket frames (docs/api.md, "Live feed").

import MartletModel
import NIOCore
import NIOWebSocket

/// Points of one subscription, by series, in the order in which the series first came.
struct PointFrame: Sendable {
  struct Place: Hashable, Sendable {
    var run: UInt32
    var key: UInt32
  }

  /// Points of one series.
  struct Block: Sendable {
    var place: Place
    var steps: [Int64] = []
    /// Microseconds since 1970.
    var times: [Int64] = []
    var values: [Double] = []
  }

  var subscription: UInt32
  /// In the order in which the series first came.
  var blocks: [Block]

  /// Little endian throughout; the four zero bytes put every 64-bit number at a multiple of 8.
  var bytes: ByteBuffer {
    let points = blocks.reduce(0) { $0 + $1.steps.count }
    var buffer = ByteBufferAllocator().buffer(capacity: 8 + 16 * blocks.count + 24 * points)
    buffer.writeInteger(subscription, endianness: .little)
    buffer.writeInteger(UInt32(0), endianness: .little)
    for block in blocks {
      let hasTimes: UInt32 = 1
      for word in [block.place.key, block.place.run, UInt32(block.steps.count), hasTimes] {
        buffer.writeInteger(word, endianness: .little)
      }
      Self.write(block.steps, to: &buffer)
      Self.write(block.times, to: &buffer)
      Self.write(block.values, to: &buffer)
    }
    return buffer
  }

  private static func write<T: BitwiseCopyable>(_ words: [T], to buffer: inout ByteBuffer) {
    #if _endian(little)
      words.withUnsafeBytes { _ = buffer.writeBytes($0) }
    #else
      #error("Frames are little endian: words have to be turned here.")
    #endif
  }
}

extension LiveFrame {
  var webSocketFrame: WebSocketFrame {
    let message: JSONValue
    switch self {
    case .points(let points): return WebSocketFrame(fin: true, opcode: .binary, data: points.bytes)
    case .message(let value): message = value
    case .run(let id, let sequence, let run):
      message = ["type": "run", "id": .int(Int64(id)), "seq": .int(Int64(sequence)), "run": run.json]
    case .sweep(let id, let sequence, let sweep, let trials):
      message = [
        "type": "sweep", "id": .int(Int64(id)), "seq": .int(Int64(sequence)), "sweep": sweep.json,
        "trials": .array(trials.map(\.json)),
      ]
    case .deleted(let id, let sequence, let run):
      message = [
        "type": "deleted", "id": .int(Int64(id)), "seq": .int(Int64(sequence)), "run": .string(run.rawValue),
      ]
    case .alert(let id, let sequence, let alert):
      message = [
        "type": "alert", "id": .int(Int64(id)), "seq": .int(Int64(sequence)), "alert": alert.json,
      ]
    case .log(let id, let slice):
      message = [
        "type": "log", "id": .int(Int64(id)), "offset": .int(Int64(slice.offset)),
        "next_offset": .int(Int64(slice.nextOffset)), "text": .string(slice.text),
        "ended": .bool(slice.ended),
      ]
    }
    return WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(bytes: message.bytes()))
  }
}
