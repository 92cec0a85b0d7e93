// What the runs of a sweep are called: by their parameters, by a template, or by a bird.

import MartletModel
package import MartletSearch
import OrderedCollections

/// `lr{lr:.2e}_w{width}`: text with parameters in braces.
package struct RunNameTemplate: Sendable, Hashable {
  enum Piece: Sendable, Hashable {
    case text(String)
    case number
    /// A parameter's dotted name; `digits` after the point in scientific form.
    case parameter(String, digits: Int?)
  }

  package let text: String
  let pieces: [Piece]

  /// Whether the number begins the name and what follows cannot be taken for a part of it.
  private var beginsWithNumber: Bool {
    guard pieces.first == .number else { return false }
    guard pieces.count > 1 else { return true }
    guard case .text(let next) = pieces[1], let character = next.first else { return false }
    return Self.separates(character)
  }

  /// Whether the number ends the name and what stands before cannot be taken for a part of it.
  var endsWithNumber: Bool {
    guard pieces.count > 1, pieces.last == .number, case .text(let before) = pieces[pieces.count - 2],
      let character = before.last
    else { return false }
    return Self.separates(character)
  }

  /// Whether the number alone tells runs apart: `{lr}_{number}`, but not `w{width}{number}`, where 1 and 12 look like
  /// 11 and 2.
  var numberTellsApart: Bool { beginsWithNumber || endsWithNumber }

  private static func separates(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || "_-.".contains(character))
  }

  /// - Returns: what is wrong, if it is no template over `parameters`.
  static func parse(_ text: String, parameters: [String]) -> Result<RunNameTemplate, TemplateFlaw> {
    var pieces: [Piece] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        return .failure(TemplateFlaw(message: "'{' without '}' in the run name"))
      }
      let inside = rest[rest.index(after: open)..<close]
      switch piece(inside, parameters: parameters) {
      case .success(let piece): pieces.append(piece)
      case .failure(let flaw): return .failure(flaw)
      }
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { pieces.append(.text(String(rest))) }
    return .success(RunNameTemplate(text: text, pieces: pieces))
  }

  private static func piece(_ inside: Substring, parameters: [String]) -> Result<Piece, TemplateFlaw> {
    if parameters.contains(String(inside)) { return .success(.parameter(String(inside), digits: nil)) }
    if inside == "number" { return .success(.number) }
    let parts = inside.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard parameters.contains(name) else {
      return .failure(
        TemplateFlaw(
          message: "'{\(inside)}' in the run name is no parameter of this sweep",
          nearest: MartletModel.nearest(to: name, in: parameters + ["number"])))
    }
    guard let format = parts.dropFirst().first, format.hasPrefix("."), format.hasSuffix("e"),
      let digits = Int(format.dropFirst().dropLast()), (0...17).contains(digits)
    else { return .failure(TemplateFlaw(message: "'{\(inside)}': the only format is like {\(name):.2e}")) }
    return .success(.parameter(name, digits: digits))
  }

  func name(for point: Point, number: Int) -> String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .number: String(number)
      case .parameter(let name, let digits):
        if let digits, let value = point[name]?.double {
          PythonText.scientific(value, digits: digits)
        } else {
          PythonText.text(point[name] ?? .null)
        }
      }
    }.joined()
  }
}

/// Why a text is no template of run names.
struct TemplateFlaw: Error {
  var message: String
  var nearest: String?
}

extension SweepSpecification {
  /// The run name of trial `number`, also its directory's: never empty, without slash, not `.` or `..`.
  ///
  /// By the file's rule where it has one (`ed_128_nl_4`, floats as `5.00e-04`), with the number behind it unless the
  /// rule alone tells all points apart; else adjective-bird-number from `seed` and `number`.
  ///
  /// - Parameter isRepeat: another trial has the point already, and the name that goes with it.
  package func runName(for point: Point, number: Int, seed: UInt64, isRepeat: Bool = false) -> String {
    if let name = points.first(where: { $0.point.flat == point.flat })?.name {
      let isTaken = isRepeat || Self.reservedNames.contains(name)
      let own = Self.fileName(name, suffix: isTaken ? "_\(number)" : "")
      // The name of another point of the file is that point's.
      let isOthers = isTaken && points.contains { $0.name == own }
      return isOthers ? Self.fileName(name, suffix: "_again_\(number)") : own
    }
    guard let name = ruledName(for: point, number: number) else {
      return RunNames.name(seed: seed, number: number)
    }
    return namesAreUnique && !isRepeat
      ? fileName(ruled: name, number) : Self.fileName(name.isEmpty ? "_" : name, suffix: "_\(number)")
  }

  private func ruledName(for point: Point, number: Int) -> String? {
    switch form {
    case .sweep: runNameTemplate?.name(for: point, number: number)
    case .ghost(let ghost):
      point.values.map { "\(ghost.prefixes[$0.key] ?? $0.key)_\(Self.ghostText($0.value))" }
        .joined(separator: "_")
    }
  }

  /// The directory of a run that the rule calls `name`. A number at its end, and what keeps it apart, are never cut off.
  private func fileName(ruled name: String, _ number: Int) -> String {
    guard runNameTemplate?.endsWithNumber == true else { return Self.fileName(name) }
    let tail = String(number).count + 1
    return Self.fileName(String(name.dropLast(tail)), suffix: String(name.suffix(tail)))
  }

  private static func ghostText(_ value: JSONValue) -> String {
    guard case .double(let number) = value else { return PythonText.text(value) }
    return PythonText.scientific(number)
  }

  /// `name` with whatever cannot stand in the name of a directory replaced by `-`, cut so that it has at most 200 bytes
  /// with `suffix` behind it.
  package static func fileName(_ name: String, suffix: String = "") -> String {
    var safe = String(
      name.unicodeScalars.map { scalar in
        scalar == "/" || scalar.value < 0x20 || scalar.value == 0x7F ? "-" : Character(scalar)
      })
    while safe.utf8.count + suffix.utf8.count > 200 { safe.removeLast() }
    safe += suffix
    // A leading dot hides the directory, a leading hyphen reads as an option.
    return safe.isEmpty || safe.hasPrefix(".") || safe.hasPrefix("-") ? "_" + safe : safe
  }

  /// What else lies beside the runs' directories.
  static let reservedNames: Set<String> = [
    "best_model", "best_model_metadata.json", "experiments.csv", "overall_results.json", "prepare", "shared",
    "sweep_summary.csv",
  ]

  /// Whether the naming rule gives every point a directory of its own.
  func ruleTellsPointsApart() -> Bool {
    if runNameTemplate?.numberTellsApart == true { return true }
    guard method == gridMethod, points.isEmpty, let count = space.cardinality, count <= 20_000 else {
      return false
    }
    var names = Self.reservedNames
    return (0..<count).allSatisfy { index in
      guard let point = space.point(at: index), let name = ruledName(for: point, number: index) else {
        return false
      }
      return names.insert(fileName(ruled: name, index)).inserted
    }
  }
}
