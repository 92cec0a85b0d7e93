// What a supervisor must not inherit: a socket that outlived a killed server would keep its port.

import Foundation
import Glibc
import MartletExecution
import MartletModel
import MartletTestSupport
import Testing

@Suite struct DescriptorTests {
  @Test func `no descriptor of ours reaches the program that is started`() async throws {
    try await withScratch { scratch in
      // One that is not closed on exec, as a server's sockets are not.
      let leak = open(scratch, O_RDONLY | O_DIRECTORY)
      #expect(leak > 2)
      defer { close(leak) }
      // In the place of a supervisor, since that closes what it gets.
      let script = "\(scratch)/listing"
      try makeProgram(at: script, script: "#!/bin/sh\nls -l /proc/$$/fd > \(scratch)/descriptors\n")
      let news = NewsLog()
      Supervision(executable: script).launch(
        AttemptLaunch(
          directory: AttemptDirectory(path: scratch), command: ["true"], workdir: scratch,
          environment: ["PATH": "/usr/bin:/bin"], timeout: nil, grace: 1, stopSignal: .term)
      ) { news.take($0) }
      guard case .neverStarted = try await news.over() else { throw Unexpected("\(news.all)") }
      let text = try String(contentsOfFile: "\(scratch)/descriptors", encoding: .utf8)
      #expect(!text.contains("-> \(scratch)\n"), "\(text)")
    }
  }
}
