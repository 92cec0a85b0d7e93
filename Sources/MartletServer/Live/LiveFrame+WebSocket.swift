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

  struct Block: Sendable {
    var steps: [Int64] = []
    var times: [Int64] = []
    var values: [Double] = []
  }

  var subscription: UInt32
  var order: [Place]
  var blocks: [Place: Block]

  /// Little endian throughout; the four zero bytes put every 64-bit number at a multiple of 8.
  var bytes: ByteBuffer {
    let points = blocks.values.reduce(0) { $0 + $1.steps.count }
    var buffer = ByteBufferAllocator().buffer(capacity: 8 + 16 * order.count + 24 * points)
    buffer.writeInteger(subscription, endianness: .little)
    buffer.writeInteger(UInt32(0), endianness: .little)
    for place in order {
      guard let block = blocks[place] else { continue }
      let hasTimes: UInt32 = 1
      for word in [place.key, place.run, UInt32(block.steps.count), hasTimes] {
        buffer.writeInteger(word, endianness: .little)
      }
      for step in block.steps { buffer.writeInteger(step, endianness: .little) }
      for time in block.times { buffer.writeInteger(time, endianness: .little) }
      for value in block.values { buffer.writeInteger(value.bitPattern, endianness: .little) }
    }
    return buffer
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
