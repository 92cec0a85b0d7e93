// Whether what a sweep's trials would start is there: told before a server is started or a trial is made.

import Foundation
import MartletFormats
import MartletModel
import OrderedCollections

/// Looks for the program of a sweep file where its trials will look for it.
struct ProgramCheck {
  /// The sweep file, as it was named.
  let file: String
  let specification: SweepSpecification
  /// Whether the command stood behind `--` and not in the file.
  let isCommandGiven: Bool
  /// Of the caller: trials get it too.
  let environment: [String: String]

  /// Where trials start.
  private var folder: URL {
    URL(
      fileURLWithPath: specification.workdir ?? ".",
      relativeTo: URL(fileURLWithPath: file).deletingLastPathComponent()
    ).standardizedFileURL
  }

  /// Throws when trials could not start.
  func check() throws {
    if specification.command.contains(.macro(.program)), let program = specification.program {
      try checkFile(program)
    }
    // What a variable stands for is known to the server only when a trial starts.
    if case .word(let word)? = specification.command.first, !word.contains("${envvar:") {
      try checkFirstWord(word)
    }
  }

  private func checkFile(_ program: String) throws {
    let path = URL(fileURLWithPath: program, relativeTo: folder).path
    guard access(path, F_OK) != 0 else { return }
    throw refusal("the program '\(program)' is not in \(folder.path)", nearest: hint(for: program))
  }

  private func checkFirstWord(_ word: String) throws {
    if word.contains("/") {
      let path = URL(fileURLWithPath: word, relativeTo: folder).path
      guard access(path, F_OK) == 0 else {
        throw refusal("the command '\(word)' is not in \(folder.path)", nearest: hint(for: word))
      }
      guard isProgram(path) else {
        throw refusal(
          "the command '\(word)' is not executable", nearest: "chmod +x \(Words.command([path])). ")
      }
      return
    }
    // What the C library takes when there is no PATH, as the supervisor does.
    let places = specification.environment["PATH"] ?? environment["PATH"] ?? "/bin:/usr/bin"
    let isFound = places.split(separator: ":", omittingEmptySubsequences: false).contains { place in
      isProgram(
        URL(fileURLWithPath: place.isEmpty ? "." : String(place), relativeTo: folder).path + "/" + word)
    }
    guard !isFound else { return }
    let path = folder.appendingPathComponent(word).path
    let local = access(path, F_OK) == 0 ? "Did you mean './\(word)'? " : nil
    throw refusal("there is no command '\(word)' in PATH (\(places))", nearest: local)
  }

  private func isProgram(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
      && access(path, X_OK) == 0
  }

  /// The name in the same folder that was probably meant.
  private func hint(for program: String) -> String? {
    let url = URL(fileURLWithPath: program, relativeTo: folder)
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
    return nearest(to: url.lastPathComponent, in: names.sorted())
      .map { "Did you mean '\(program.dropLast(url.lastPathComponent.count))\($0)'? " }
  }

  private func refusal(_ message: String, nearest: String?) -> Failure {
    let key =
      switch specification.form {
      case .ghost: "'base_command:'"
      case .sweep: specification.command.contains(.macro(.program)) ? "'program:'" : "'command:'"
      }
    let advice =
      isCommandGiven
      ? "Correct the command after '--' and run it again"
      : "Correct \(key), or name the program here: martlet sweep run \(Words.command([file])) -- CMD"
    return Failure(
      .wrongInput, "\(file): \(message).", hint: "\(nearest ?? "")\(advice); nothing was started.")
  }
}
