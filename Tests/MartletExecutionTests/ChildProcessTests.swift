// Programs that are started and asked: nothing of ours reaches them, and none of them holds us up.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletExecution

@Suite struct ChildProcessTests {
  private func shell(_ script: String, _ environment: [String: String] = [:], in directory: String? = nil)
    -> ChildProcess
  {
    ChildProcess(
      "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 },
      directory: directory)
  }

  @Test func `what it writes, how it ends, what it was given`() async throws {
    try await withScratch { scratch in
      let told = try shell("pwd; echo $WORD; cat; echo no >&2; exit 7", ["WORD": "a b"], in: scratch)
        .run(within: .seconds(60))
      #expect(String(decoding: told.output, as: UTF8.self) == "\(scratch)\na b\n")
      #expect(String(decoding: told.errors, as: UTF8.self) == "no\n")
      #expect(told.ending == .exited(7) && !told.isSuccess)
      #expect(try shell("kill -TERM $$").run(within: .seconds(60)).ending == .signalled(SIGTERM))
      #expect(try shell("exit 0").run(within: .seconds(60)).isSuccess)
    }
  }

  @Test func `more than a pipe holds, on both outputs at once`() throws {
    let script = "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2; head -c 1000000 /dev/zero"
    let answer = try shell(script).run(within: .seconds(60))
    #expect(answer.isSuccess)
    #expect((answer.output.count, answer.errors.count) == (4_000_000, 2_000_000))
  }

  @Test func `more than was wanted ends it`() throws {
    let answer = try shell("cat /dev/zero").run(within: .seconds(60), limit: 100_000)
    #expect((answer.ending, answer.output.count) == (.tooLong, 100_000))
    #expect(try shell("head -c 100000 /dev/zero").run(within: .seconds(60), limit: 100_000).isSuccess)
  }

  @Test func `one that hangs is killed with what it started`() async throws {
    try await withScratch { scratch in
      let script =
        "trap '' TERM; sleep 300 & echo $! > \(scratch)/inner; echo $$ > \(scratch)/outer; echo begun; wait"
      let answer = try shell(script).run(within: .seconds(3))
      #expect(answer.ending == .outOfTime)
      // On a machine that is busy for three seconds it may not have come to it.
      for name in ["inner", "outer"] where exists("\(scratch)/\(name)") {
        let text = try String(contentsOfFile: "\(scratch)/\(name)", encoding: .utf8)
        guard let pid = Int32(text.trimmingCharacters(in: .newlines)) else { continue }
        try await eventually("\(name) is gone") { !isAlive(pid) }
      }
    }
  }

  @Test func `what stays in the background with its output is not waited for`() async throws {
    let answer = try shell("sleep 600 & echo $!").run(within: .seconds(300))
    #expect(answer.isSuccess)
    let text = String(decoding: answer.output, as: UTF8.self).trimmingCharacters(in: .newlines)
    let pid = try #require(Int32(text))
    #expect(isAlive(pid))
    kill(pid, SIGKILL)
  }

  /// Four that write as fast as they can: there is always more to read.
  @Test func `one that never stops to write has its time, too`() throws {
    let writer = "cat /dev/zero & "
    let answer = try shell(String(repeating: writer, count: 4) + "wait").run(within: .milliseconds(300))
    #expect(answer.ending == .outOfTime)
  }

  /// A process of its own: what it ignores, all of it does.
  @Test func `what somebody else has reaped is over`() async {
    _ = await #expect(processExitsWith: .success) {
      signal(SIGCHLD, SIG_IGN)
      let program = ChildProcess("/bin/sh", ["-c", "echo said; exit 3"], environment: [:])
      let answer = try program.run(within: .seconds(3_600))
      precondition(answer.ending == .unknown && !answer.isSuccess)
      precondition(answer.output == Array("said\n".utf8))
    }
  }

  @Test func `closed outputs are not its end`() throws {
    #expect(try shell("exec >&- 2>&-; sleep 0.2; exit 5").run(within: .seconds(60)).ending == .exited(5))
  }

  @Test func `no program, no answer`() async throws {
    try await withScratch { scratch in
      let path = "\(scratch)/missing"
      let missing = try await problem(.unavailable) {
        _ = try ChildProcess(path, environment: [:]).run(within: .seconds(60))
      }
      #expect(missing.message == "\(path) could not be started: No such file or directory.")
      let environment = ["PATH": "/nowhere:\(scratch):/bin"]
      try FileManager.default.createDirectory(atPath: "\(scratch)/sh", withIntermediateDirectories: true)
      #expect(ChildProcess.locate("sh", environment: environment) == "/bin/sh", "a folder is no program")
      #expect(ChildProcess.locate("no-such-program", environment: environment) == nil)
      #expect(ChildProcess.locate("/bin/sh", environment: [:]) == "/bin/sh")
      #expect(ChildProcess.locate(path, environment: [:]) == nil)
    }
  }

  @Test func `no descriptor of ours, no blocked and no ignored signal`() throws {
    // One that is not closed on exec, as a server's sockets are not.
    let leak = open("/", O_RDONLY | O_DIRECTORY)
    #expect(leak > 2)
    defer { close(leak) }
    let before = signal(SIGUSR2, SIG_IGN)
    defer { signal(SIGUSR2, before) }
    let answer = try shell("ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2")
      .run(within: .seconds(60))
    let lines = String(decoding: answer.output, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(lines.prefix(4) == ["0", "1", "2", "3"], "the last is the folder that ls reads")
    // Signals 32 and 33 are the C library's own.
    let masks = lines.dropFirst(4).map { UInt64($0, radix: 16).map { $0 & 0x7FFF_FFFF } }
    #expect(masks == [0, 0])
  }

  /// A process of its own: others here start programs with Foundation's `Process`, which does not live through this.
  @Test func `git is asked while thousands of descriptors are open`() async throws {
    try await withScratch { scratch in
      _ = await #expect(processExitsWith: .success) { [scratch = scratch as String] in
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { fatalError("no limit") }
        limit.rlim_cur = min(limit.rlim_max, 4096)
        guard setrlimit(resource, &limit) == 0, limit.rlim_cur >= 2048 else { fatalError("\(limit)") }
        for _ in 0..<1_900 where dup(STDERR_FILENO) < 0 { fatalError("errno \(errno)") }
        precondition(GitProbe.bytes(of: ["init", "-q"], in: scratch, within: .seconds(60)) == [])
        let answer = GitProbe.bytes(
          of: ["rev-parse", "--is-inside-work-tree"], in: scratch, within: .seconds(60))
        precondition(answer == Array("true\n".utf8))
      }
    }
  }
}
