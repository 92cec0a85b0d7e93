// What a sweep would start, looked for before it starts; and the checkpoint that was not there.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("a sweep's program and checkpoint", .serialized)
struct SweepProgramTests {
  private static func file(_ command: String, more: String = "") -> String {
    "method: grid\ncommand: \(command)\n\(more)parameters: {x: {values: [1]}}\n"
  }

  @Test(
    "a command that is not there is status 65, and nothing is started",
    arguments: [
      ("[no-such-command, \"${args}\"]", ["'no-such-command'", "PATH", "'command:'"]),
      ("no-such-command --fast ${args}", ["'no-such-command'", "PATH"]),
      ("[./trian.sh, \"${args}\"]", ["'./trian.sh'", "'./train.sh'"]),
      ("[./plain.sh, \"${args}\"]", ["'./plain.sh'", "not executable", "chmod +x"]),
      ("[train.sh, \"${args}\"]", ["'train.sh'", "PATH", "'./train.sh'"]),
      ("[/nowhere/train, \"${args}\"]", ["'/nowhere/train'"]),
    ])
  func wrongCommand(command: String, said: [String]) async throws {
    try await Workplace.with { place in
      try Self.writePrograms(place)
      try place.write("wrong.yaml", Self.file(command))
      let outcome = try await place.martlet("sweep", "run", "wrong.yaml")
      #expect(outcome.status == 65, "\(outcome)")
      for word in said + ["wrong.yaml", "nothing was started"] {
        #expect(outcome.errors.contains(word), "\(word) in \(outcome)")
      }
      #expect(!place.exists(place.data))
    }
  }

  @Test("a command after -- that is not there is status 65, and nothing is started")
  func wrongGivenCommand() async throws {
    try await Workplace.with { place in
      try place.writeGrid()
      for words in [["no-such-command"], ["./no-such-command", "-v"], ["trian.py"]] {
        let outcome = try await place.martlet(["sweep", "run", "grid.yaml", "--"] + words)
        #expect(outcome.status == 65, "\(outcome)")
        #expect(outcome.errors.contains("'\(words[0])'"), "\(outcome)")
        #expect(outcome.errors.contains("after '--'"), "\(outcome)")
        #expect(outcome.errors.contains("nothing was started"), "\(outcome)")
      }
      #expect(!place.exists(place.data))
    }
  }

  @Test("a ghost file's command is looked for too")
  func wrongBaseCommand() async throws {
    try await Workplace.with { place in
      try place.write(
        "ghost.json", #"{"base_command": "no-such-python -m x", "sweep_params": {"a": {"values": [1]}}}"#)
      let outcome = try await place.martlet("sweep", "run", "ghost.json")
      #expect(outcome.status == 65, "\(outcome)")
      #expect(outcome.errors.contains("'no-such-python'"), "\(outcome)")
      #expect(outcome.errors.contains("'base_command:'"), "\(outcome)")
      #expect(!place.exists(place.data))
    }
  }

  @Test("commands are found in the file's PATH, in the caller's, and from the working directory")
  func rightCommands() async throws {
    try await Workplace.withServer { place in
      try Self.writePrograms(place)
      let bin = place.root.path + "/sub"
      for (name, command, more) in [
        ("relative", "[./train.sh]", ""), ("workdir", "[../train.sh]", "workdir: sub\n"),
        ("path", "[trainer]", "env: {PATH: \"\(bin):/usr/bin:/bin\"}\n"), ("caller", "[true]", ""),
        ("first", "[/usr/bin/env, sh, -c, \"true\"]", ""), ("macro", "[\"${env}\", \"true\"]", ""),
      ] {
        try place.write("\(name).yaml", Self.file(command, more: more))
        let outcome = try await place.martlet("sweep", "run", "\(name).yaml")
        #expect(outcome.status == 0, "\(name): \(outcome)")
        // Nothing to rank by: no column for it.
        #expect(!outcome.output.contains("objective"), "\(outcome)")
      }
    }
  }

  /// `train.sh` and `sub/trainer` can be started, `plain.sh` cannot.
  private static func writePrograms(_ place: Workplace) throws {
    try place.write("plain.sh", "#!/bin/sh\nexit 0\n")
    for name in ["train.sh", "sub/trainer"] {
      let path = try place.write("\(name).text", "#!/bin/sh\nexit 0\n")
      try makeProgram(at: String(path.dropLast(".text".count)), from: path)
      try FileManager.default.removeItem(atPath: path)
    }
  }

  // MARK: - The best model

  @Test("without a file that matches, the end says so, with the file's own pattern")
  func noCheckpoint() async throws {
    try await Workplace.withServer { place in
      let grid = try place.text(of: place.writeGrid())
      try place.write("other.yaml", "checkpoint: '*.ckpt'\n" + grid)
      for (file, pattern) in [("grid.yaml", "best_model*"), ("other.yaml", "*.ckpt")] {
        let outcome = try await place.martlet("sweep", "run", file, "--name", file)
        #expect(outcome.status == 0, "\(outcome)")
        let best = try #require(try await place.json("sweep", "show", file)["best"]?["run_name"]?.string)
        #expect(
          outcome.lines.contains("No file of \(best) matches '\(pattern)': no best model was copied"),
          "\(outcome)")
        #expect(!outcome.output.contains("Best model"), "\(outcome)")
      }
    }
  }

  @Test("with such a file, the end names the copy")
  func checkpoint() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: "open(os.environ['MARTLET_RUN_DIR'] + '/best_model.txt', 'w').close()")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml")
      #expect(outcome.status == 0, "\(outcome)")
      let folder = try #require(try await place.json("sweep", "show", "grid")["output_dir"]?.string)
      #expect(outcome.lines.contains("Best model  \(folder)/best_model"), "\(outcome)")
      #expect(!outcome.output.contains("no best model"), "\(outcome)")
    }
  }
}
