// Rows to columns.

import MartletModel
import OrderedCollections

/// Gathers consecutive rows into a batch.
///
/// A row is staged value by value and then committed, or abandoned without a trace. Rows mostly have the same names in the same
/// order, their *shape*: as long as they do, their numbers are laid down one row behind the other and go to the columns together.
struct RowBatchBuilder {
  private struct Column<Value> {
    var name: String
    /// Nil while every row so far has the name: then there are as many values as rows.
    var rows: [Int32]?
    var values: [Value] = []

    /// - Parameter row: the first of rows `row` … `row + count - 1`, whose values are to be appended.
    mutating func note(_ row: Int, _ count: Int) {
      if rows == nil {
        if values.count == row { return }
        rows = Array(0..<Int32(values.count))
      }
      for index in row..<(row + count) { rows?.append(Int32(index)) }
    }

    /// Appends the values of `count` rows, of which the first is `row`: every `stride`-th of `source` from `start`.
    mutating func append(_ source: [Value], from start: Int, stride: Int, row: Int, count: Int) {
      note(row, count)
      // Doubled as it grows: an exact reservation for each piece would copy the column each time.
      if values.capacity - values.count < count { values.reserveCapacity(2 * (values.count + count)) }
      for index in 0..<count { values.append(source[start &+ index &* stride]) }
    }

    func finished(of total: Int) -> (rows: RowBatch.Rows, values: [Value]) {
      if let rows { return (.some(rows), values) }
      return (values.count == total ? .all : .some(Array(0..<Int32(values.count))), values)
    }
  }

  /// Numbers that wait go to their columns in pieces that fit a processor's first cache.
  private static let pieceLength = 2_048

  private var firstSequence: Int64 = 0
  private var steps: [Int64] = []
  private var stepless: [Int32] = []
  private var times: [Int64] = []
  private var numbers: [Column<Double>] = []
  private var texts: [Column<[UInt8]>] = []
  private var numberSlots: [String: Int32] = [:]
  private var textSlots: [String: Int32] = [:]

  /// Columns of the values of a row of the present shape, in order.
  private var shape: [Int32] = []
  /// Values of `waitingRows` rows of that shape, then those of the row that is staged.
  private var waiting: [Double] = []
  private var waitingRows = 0
  /// How many values are staged, and whether they have followed the shape so far; if not, `stagedSlots` has their columns.
  private var staged = 0
  private var followsShape = true
  private var stagedSlots: [Int32] = []
  private var stagedTexts: [(slot: Int32, text: [UInt8])] = []

  /// Rows that were committed.
  var count: Int { steps.count }
  /// The number that the next row must have, once there is one.
  var nextSequence: Int64 { firstSequence &+ Int64(steps.count) }

  // MARK: - Columns

  /// The column of numbers with a name, which is made where it is missing.
  ///
  /// - Parameter name: allowed, in normal form C.
  mutating func numberSlot(_ name: String) -> Int32 {
    if let slot = numberSlots[name] { return slot }
    let slot = Int32(numbers.count)
    numberSlots[name] = slot
    numbers.append(Column(name: name))
    return slot
  }

  /// The same of everything else.
  mutating func textSlot(_ name: String) -> Int32 {
    if let slot = textSlots[name] { return slot }
    let slot = Int32(texts.count)
    textSlots[name] = slot
    texts.append(Column(name: name))
    return slot
  }

  // MARK: - Rows

  /// A row has each column once.
  @inline(__always)
  mutating func stage(_ value: Double, in slot: Int32) {
    waiting.append(value)
    if followsShape && staged < shape.count && shape[staged] == slot {
      staged &+= 1
    } else {
      stageOutOfShape(slot)
    }
  }

  private mutating func stageOutOfShape(_ slot: Int32) {
    if followsShape {
      followsShape = false
      stagedSlots.removeAll(keepingCapacity: true)
      stagedSlots += shape.prefix(staged)
    }
    stagedSlots.append(slot)
    staged += 1
  }

  /// Values of all columns of the shape, in order, instead of one by one. Nothing may be staged yet.
  ///
  /// - Parameter bytes: little-endian doubles, as many as the shape has.
  mutating func stageShape(_ bytes: UnsafeRawBufferPointer) {
    for offset in stride(from: 0, to: bytes.count, by: 8) {
      waiting.append(
        Double(
          bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))))
    }
    staged = shape.count
  }

  mutating func stage(_ text: [UInt8], in slot: Int32) { stagedTexts.append((slot, text)) }

  /// The next row has what is staged.
  ///
  /// - Parameters:
  ///   - sequence: `nextSequence`; in the first row anything from 0.
  ///   - time: microseconds since 1970.
  mutating func commit(sequence: Int64, step: Int64?, time: Int64) {
    if followsShape && staged == shape.count {
      waitingRows &+= 1
    } else {
      changeShape()
    }
    staged = 0
    if steps.isEmpty { firstSequence = sequence }
    if !stagedTexts.isEmpty { commitTexts() }
    if let step {
      steps.append(step)
    } else {
      stepless.append(Int32(steps.count))
      steps.append(0)
    }
    times.append(time)
    if waiting.count >= Self.pieceLength { flush() }
  }

  /// Nothing of what is staged counts.
  mutating func abandon() {
    waiting.removeLast(staged)
    stagedTexts.removeAll()
    staged = 0
    followsShape = true
  }

  private mutating func commitTexts() {
    for (slot, text) in stagedTexts {
      texts[Int(slot)].append([text], from: 0, stride: 1, row: count, count: 1)
    }
    stagedTexts.removeAll(keepingCapacity: true)
  }

  /// The staged row's shape holds from now on.
  private mutating func changeShape() {
    flush()
    if followsShape {
      shape.removeLast(shape.count - staged)
    } else {
      swap(&shape, &stagedSlots)
      followsShape = true
    }
    waitingRows = 1
  }

  /// Brings to the columns what waits: the last `waitingRows` rows. What is staged stays.
  private mutating func flush() {
    let width = shape.count
    let first = count - waitingRows
    for (place, slot) in shape.enumerated() {
      numbers[Int(slot)].append(waiting, from: place, stride: width, row: first, count: waitingRows)
    }
    waiting.removeSubrange(..<(waitingRows * width))
    waitingRows = 0
  }

  /// The batch, after which the builder is of no use; names that no committed row has are left out.
  mutating func finish() -> RowBatch {
    flush()
    let count = steps.count
    return RowBatch(
      firstSequence: firstSequence, steps: steps, stepless: stepless, times: times,
      numbers: numbers.filter { !$0.values.isEmpty }.map { column in
        let (rows, values) = column.finished(of: count)
        return RowBatch.Numbers(name: column.name, rows: rows, values: values)
      },
      texts: texts.filter { !$0.values.isEmpty }.map { column in
        let (rows, values) = column.finished(of: count)
        return RowBatch.Texts(name: column.name, rows: rows, values: values)
      })
  }
}

extension RowBatchBuilder {
  /// Adds a row. Its names are brought into normal form C; of a name twice in it, the later value stands.
  ///
  /// - Throws: `Problem.unprocessable`, and nothing is added, when its number does not follow or a name is not allowed.
  mutating func add(_ row: LogRow) throws(Problem) {
    guard row.sequence >= 0, row.sequence < .max else {
      throw Problem(
        .unprocessable, "A row has the number \(row.sequence).", hint: "Rows are numbered from 0.")
    }
    guard count == 0 || row.sequence == nextSequence else {
      throw Problem(
        .unprocessable, "Row \(row.sequence) follows row \(nextSequence - 1) in one batch.",
        hint: "Rows are numbered without gaps.")
    }
    let members =
      row.numbers.map { ($0.name.inNormalForm, JSONValue.double($0.value)) }
      + row.others.map { ($0.name.inNormalForm, $0.value) }
    let values = JSONObject(members) { $1 }
    for name in values.keys {
      if let fault = MetricName.fault(of: name) {
        throw Problem(.unprocessable, "Row \(row.sequence) \(fault).")
      }
    }
    for (name, value) in values {
      switch value {
      case .double(let number): stage(number, in: numberSlot(name))
      case .int(let number): stage(Double(number), in: numberSlot(name))
      case .null, .bool, .string, .array, .object: stage(value.bytes(), in: textSlot(name))
      }
    }
    commit(sequence: row.sequence, step: row.step, time: row.time.microseconds)
  }
}
