// `martlet sweep new`: a sweep file to begin with, in which every key says what it is for.

import ArgumentParser
import Foundation
import MartletFormats

struct SweepNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Write a sweep file with comments to begin with.",
    discussion: """
      Examples:
        martlet sweep new
        martlet sweep new search.yaml --program train.py
      """)

  @Argument(help: "Where to write it; -: to standard output.")
  var file = "sweep.yaml"

  @Option(name: .long, help: ArgumentHelp("The script that its trials run.", valueName: "file"))
  var program = "train.py"

  @Flag(name: .long, help: "Replace a file that is there.")
  var force = false

  func run() throws {
    let text = SweepTemplate.text(program: program)
    guard file != "-" else { return try Terminal.say(text) }
    guard force || !FileManager.default.fileExists(atPath: file) else {
      throw Failure(.wrongInput, "There is a file '\(file)' already.", hint: "--force replaces it.")
    }
    do {
      try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: file))
    } catch {
      throw Failure(.wrongInput, "'\(file)' cannot be written: \(error.localizedDescription)")
    }
    try Terminal.say("Wrote \(file). 'martlet sweep run \(file) --dry-run' shows what it would do.")
  }
}
