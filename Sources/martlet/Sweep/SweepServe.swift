// `martlet sweep serve`: searches over standard input and output, for programs that ask and tell.

import ArgumentParser
import Foundation
import MartletSearch

struct SweepServe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Answer ask and tell requests, a line of JSON each, on standard input and output.",
    discussion: """
      Searches without server, runs and files, for benchmarks and for programs that run
      their trials themselves. It ends with the input, or at {"op": "shutdown"}.

      Example:
        echo '{"op": "hello"}' | martlet sweep serve
      """)

  func run() throws {
    var session = SearchProtocol()
    while !session.isOver, let line = readLine() {
      guard !line.isEmpty else { continue }
      let answer = Data((session.answer(line) + "\n").utf8)
      // Whoever asks waits for the answer: nothing is gathered.
      try FileHandle.standardOutput.write(contentsOf: answer)
    }
  }
}
