// Where an export lies: the directory and the names of its files.

import Foundation

/// A directory that an export fills.
struct ExportDirectory: Sendable {
  let path: String
  let form: Export.Form

  private static let histories = "histories"

  /// Makes the directory; one that is there must be empty.
  init(_ name: String, form: Export.Form, withHistories: Bool) throws(Failure) {
    path = URL(fileURLWithPath: name).standardizedFileURL.path
    self.form = form
    let files = FileManager.default
    if let found = try? files.contentsOfDirectory(atPath: path), !found.isEmpty {
      throw Failure(
        .cannotCreate, "\(path) is not empty.", hint: "Name a directory that is not there yet, or remove it.")
    }
    do {
      try files.createDirectory(
        atPath: withHistories ? "\(path)/\(Self.histories)" : path, withIntermediateDirectories: true)
    } catch {
      throw Failure(
        .cannotCreate, "\(path) cannot be made: \(error.localizedDescription)",
        hint: "Name a directory that this account may write.")
    }
  }

  var runTable: String { "\(path)/runs.\(form.rawValue)" }

  /// The history's file, from the directory on: the run's name as far as file systems take it, and its id, which no other
  /// run has.
  func history(of run: RunReference) -> String {
    "\(Self.histories)/\(Self.safe(run.name))-\(run.id).\(form.rawValue)"
  }

  func place(of file: String) -> String { "\(path)/\(file)" }

  private static let longest = 100

  /// Letters, digits and a few signs of any script stay; all else becomes `_`, a leading dot too.
  static func safe(_ name: String) -> String {
    var safe = ""
    for character in name.precomposedStringWithCanonicalMapping {
      let isPlain = character.isLetter || character.isNumber || "-_.+=@".contains(character)
      let next = isPlain && !(safe.isEmpty && character == ".") ? String(character) : "_"
      guard safe.utf8.count + next.utf8.count <= longest else { break }
      safe += next
    }
    return safe.isEmpty ? "run" : safe
  }
}
