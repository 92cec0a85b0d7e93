// Consecutive rows of one client as columns: the form in which points travel from a request to the disk and on.

public import MartletModel

/// Consecutive `log()` rows of one client, as columns.
///
/// Row `i` has the sequence number `firstSequence + i`. A name is in `numbers` once at most and in `texts` once at most; it
/// may be in both, but a row has it in one of them.
public struct RowBatch: Sendable {
  /// Which rows of a batch have a name.
  public enum Rows: Sendable, Hashable {
    case all
    /// Indices into the batch, ascending, each once.
    case some([Int32])
  }

  /// The numbers that were logged under one name.
  public struct Numbers: Sendable {
    /// In normal form C, 1–512 bytes, no control characters.
    public var name: String
    public var rows: Rows
    /// One for each of `rows`, bit patterns kept.
    public var values: [Double]

    public init(name: String, rows: Rows, values: [Double]) {
      self.name = name
      self.rows = rows
      self.values = values
    }
  }

  /// Everything else that was logged under one name.
  public struct Texts: Sendable {
    /// In normal form C, 1–512 bytes, no control characters.
    public var name: String
    public var rows: Rows
    /// One for each of `rows`: compact JSON in UTF-8, never a bare number.
    public var values: [[UInt8]]

    public init(name: String, rows: Rows, values: [[UInt8]]) {
      self.name = name
      self.rows = rows
      self.values = values
    }
  }

  /// The first row's number; not negative.
  public var firstSequence: Int64
  /// One for each row; 0 for rows without a step, until the store decides it.
  public var steps: [Int64]
  /// Indices of the rows that came without a step, ascending.
  public var stepless: [Int32]
  /// Microseconds since 1970, one for each row.
  public var times: [Int64]
  /// In the order in which the names first came.
  public var numbers: [Numbers]
  public var texts: [Texts]

  public init(
    firstSequence: Int64, steps: [Int64], stepless: [Int32] = [], times: [Int64], numbers: [Numbers] = [],
    texts: [Texts] = []
  ) {
    self.firstSequence = firstSequence
    self.steps = steps
    self.stepless = stepless
    self.times = times
    self.numbers = numbers
    self.texts = texts
  }

  /// Rows.
  public var count: Int { steps.count }
  public var isEmpty: Bool { steps.isEmpty }
  /// The number that the client's next row has.
  public var nextSequence: Int64 { firstSequence + Int64(count) }
  /// Numbers in all columns.
  public var points: Int { numbers.reduce(0) { $0 + $1.values.count } }
}

extension RowBatch.Rows {
  /// How many of a batch's rows these are.
  ///
  /// - Parameter total: rows of the batch.
  public func count(of total: Int) -> Int {
    switch self {
    case .all: total
    case .some(let rows): rows.count
    }
  }

  /// The indices of these rows, ascending.
  public func indices(of total: Int) -> [Int32] {
    switch self {
    case .all: Array(0..<Int32(clamping: total))
    case .some(let rows): rows
    }
  }

  /// The values of one column at these rows, out of `column`, which has one for every row of the batch.
  public func picked<Value>(from column: [Value]) -> [Value] {
    switch self {
    case .all: column
    case .some(let rows): rows.map { column[Int($0)] }
    }
  }

  /// `all` where `rows` are as many as the batch has.
  ///
  /// - Parameter rows: ascending, each once.
  public init(_ rows: [Int32], of total: Int) { self = rows.count == total ? .all : .some(rows) }

  /// Without the batch's first `count` rows, and how many of these rows that were.
  func removingFirst(_ count: Int, of total: Int) -> (rows: RowBatch.Rows, removed: Int) {
    switch self {
    case .all: return (.all, min(count, total))
    case .some(let rows):
      let kept = rows.drop { Int($0) < count }.map { $0 - Int32(count) }
      return (RowBatch.Rows(kept, of: total - count), rows.count - kept.count)
    }
  }
}

extension RowBatch {
  /// Cuts rows off at the beginning; names that only they had are gone.
  ///
  /// - Parameter count: 0 up to the batch's `count`.
  public mutating func removeFirst(_ count: Int) {
    guard count > 0 else { return }
    let total = self.count
    for index in numbers.indices {
      let (rows, removed) = numbers[index].rows.removingFirst(count, of: total)
      numbers[index].rows = rows
      numbers[index].values.removeFirst(removed)
    }
    for index in texts.indices {
      let (rows, removed) = texts[index].rows.removingFirst(count, of: total)
      texts[index].rows = rows
      texts[index].values.removeFirst(removed)
    }
    numbers.removeAll { $0.values.isEmpty }
    texts.removeAll { $0.values.isEmpty }
    stepless = stepless.drop { Int($0) < count }.map { $0 - Int32(count) }
    steps.removeFirst(count)
    times.removeFirst(count)
    firstSequence += Int64(count)
  }

  /// Lays rows out as columns.
  ///
  /// - Parameter rows: names are brought into normal form C; of a name twice in a row's numbers, the later value stands.
  /// - Throws: `Problem.unprocessable` when the rows' numbers do not follow each other or a name is not allowed.
  public init(_ rows: [LogRow]) throws(Problem) {
    var builder = RowBatchBuilder()
    for row in rows { try builder.add(row) }
    self = builder.finish()
  }

  /// The rows as they came, one by one: numbers in the order of the columns, texts parsed.
  public func rows() -> [LogRow] {
    let missing = Set(stepless)
    var rows = steps.indices.map { index in
      LogRow(
        sequence: firstSequence + Int64(index), step: missing.contains(Int32(index)) ? nil : steps[index],
        time: Timestamp(microseconds: times[index]), numbers: [], others: [])
    }
    for column in numbers {
      for (row, value) in zip(column.rows.indices(of: count), column.values) {
        rows[Int(row)].numbers.append((column.name, value))
      }
    }
    for column in texts {
      for (row, text) in zip(column.rows.indices(of: count), column.values) {
        rows[Int(row)].others.append((column.name, (try? JSONValue.parse(text)) ?? .null))
      }
    }
    return rows
  }
}
