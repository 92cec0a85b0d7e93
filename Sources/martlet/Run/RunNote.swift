// `martlet run note`.

import ArgumentParser
import Foundation
import MartletModel

struct RunNote: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "note",
    abstract: "Show a run's notes, or write them.",
    discussion: """
      Examples:
        martlet run note swift-finch-3
        martlet run note swift-finch-3 "the learning rate was too high"
        martlet run note swift-finch-3 --append "seed 43 as well"
        martlet run note swift-finch-3 - < notes.md
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Argument(help: "The new notes; - reads them from standard input. Without it, they are shown.")
  var text: String?

  @Flag(name: .long, help: "Add the text below the notes that are there.")
  var append = false

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if append, text == nil { throw ValidationError("--append needs a text.") }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let old = found["notes"]?.string ?? ""
    guard let text else {
      if !old.isEmpty { try Terminal.write(old.hasSuffix("\n") ? old : old + "\n", to: STDOUT_FILENO) }
      return
    }
    var new = text
    if text == "-" {
      let bytes = FileHandle.standardInput.readDataToEndOfFile()
      new = String(decoding: bytes, as: UTF8.self)
    }
    if append, !old.isEmpty { new = old + (old.hasSuffix("\n") ? "" : "\n") + new }
    _ = try await client.send(.patch, "/runs/\(found.id)", body: ["notes": .string(new)])
    Terminal.complain("martlet: the notes of '\(Terminal.plain(found["name"]?.string ?? ""))' are written.")
  }
}
