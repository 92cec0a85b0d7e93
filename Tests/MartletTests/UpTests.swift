// Starting and ending servers: `up`, `down`, `status`, `version`.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("up and down", .serialized)
struct UpTests {
  @Test(
    "up prints its address and a sign-in link; Ctrl-C and SIGTERM end it cleanly",
    arguments: [SIGINT, SIGTERM])
  func foreground(signal: Int32) async throws {
    try await Workplace.with { place in
      let server = try place.start(["up", "--port", "0"])
      #expect(try await eventually { server.outputSoFar.contains("#code=") })
      #expect(server.outputSoFar.contains(place.announcedURL))
      #expect(place.announcedPID == server.pid)
      let attributes = try FileManager.default.attributesOfItem(atPath: place.data)
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
      server.signal(signal)
      let outcome = try await server.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(!place.exists(place.data + "/server.json"))
    }
  }

  @Test("a detached server outlives its starter and is found by the other commands; down ends it")
  func detached() async throws {
    try await Workplace.with { place in
      let up = try await place.martlet("up", "--detach", "--port", "0", "--devices", "2")
      #expect(up.status == 0, "\(up)")
      #expect(up.output.contains("#code="))
      let pid = try #require(place.announcedPID)
      #expect(getsid(pid) == pid)

      let status = try await place.json("status")
      #expect(status["pid"]?.int == Int64(pid))
      #expect(status["url"]?.string == place.announcedURL)
      #expect(status["devices"]?.array?.count == 2)
      #expect(try await place.martlet("status").output.contains("FULL"))

      let again = try await place.martlet("up", "--detach", "--port", "0")
      #expect(again.status == 75, "\(again)")
      #expect(again.errors.contains(String(pid)))

      let down = try await place.martlet("down")
      #expect(down.status == 0, "\(down)")
      #expect(try await eventually { !isAlive(pid) })
      #expect(!place.exists(place.data + "/server.json"))
      #expect(try await place.martlet("down").status == 0)
    }
  }

  @Test("status --link prints a fresh link and nothing else")
  func link() async throws {
    try await Workplace.withServer { place in
      let link = try await place.martlet("status", "--link")
      #expect(link.status == 0, "\(link)")
      #expect(link.lines.count == 1)
      #expect(link.output.hasPrefix(place.announcedURL + "/#code="))
      #expect(try await place.martlet("status", "--link").output != link.output)
    }
  }

  @Test("a port that is in use is status 75")
  func portInUse() async throws {
    try await Workplace.withServer { place in
      let port = try #require(URL(string: place.announcedURL)?.port)
      let other = ["MARTLET_DATA": place.root.path + "/other"]
      for detach in [[], ["--detach"]] {
        let second = try await place.martlet(["up", "--port", String(port)] + detach, environment: other)
        #expect(second.status == 75, "\(second)")
        #expect(second.errors.contains(String(port)))
        #expect(second.errors.hasPrefix("martlet: "))
      }
    }
  }

  @Test("a data directory locked by another server is status 75 and names its process")
  func locked() async throws {
    try await Workplace.withServer { place in
      let pid = try #require(place.announcedPID)
      let second = try await place.martlet("up", "--port", "0")
      #expect(second.status == 75, "\(second)")
      #expect(second.errors.contains(String(pid)))
      #expect(place.announcedPID == pid)
    }
  }

  @Test(
    "a data directory that cannot be made is status 73",
    arguments: [["up", "--port", "0"], ["up", "--port", "0", "--detach"], ["run", "--", "true"]])
  func notWritable(command: [String]) async throws {
    try await Workplace.with { place in
      // A file stands in the way: unlike a mode, this stops root as well.
      let file = try place.write("file", "")
      let outcome = try await place.martlet(command, environment: ["MARTLET_DATA": file + "/data"])
      #expect(outcome.status == 73, "\(outcome)")
      #expect(outcome.errors.contains(file))
    }
  }

  @Test(
    "options that do not go together are status 64",
    arguments: [
      ["--port", "70000"], ["--devices", "-1"], ["--log-level", "loud"],
      ["--host", "0.0.0.0", "--port", "0"],
      ["--host", "0.0.0.0", "--plain-http", "--open-loopback", "--port", "0"], ["--nonsense"],
    ])
  func usage(options: [String]) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet(["up"] + options)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.errors.hasPrefix("martlet: "))
      #expect(!place.exists(place.data + "/server.json"))
    }
  }

  @Test("a server that was killed leaves its announcement, which nobody believes; the next one starts")
  func killed() async throws {
    try await Workplace.withServer { place in
      let pid = try #require(place.announcedPID)
      kill(pid, SIGKILL)
      #expect(try await eventually { try await place.martlet("status").status == 69 })
      let up = try await place.martlet("up", "--detach", "--port", "0")
      #expect(up.status == 0, "\(up)")
      #expect(place.announcedPID != pid)
    }
  }

  @Test("code that only the start needed leaves memory, and the server goes on")
  func code() async throws {
    try await Workplace.withServer { place in
      let pid = try #require(place.announcedPID)
      func kilobytes(_ key: String, _ status: String) -> Int? {
        let line = status.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
      }
      // Otherwise an idle server has as much as it ever had, to some hundred kB.
      try await eventually("4 MB are given back") {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let most = try #require(kilobytes("VmHWM", status))
        return try most - #require(kilobytes("VmRSS", status)) > 4_096
      }
      #expect(try await place.json("status")["pid"]?.int == Int64(pid))
    }
  }

  @Test("version says this program's and the server's")
  func version() async throws {
    try await Workplace.with { place in
      let version = try await place.json("version")
      #expect(version["version"]?.string?.split(separator: ".").count == 3)
      #expect(version["server"]?.isNull == true)
      #expect(try await place.martlet("--version").output.hasPrefix("martlet "))
    }
    try await Workplace.withServer { place in
      let version = try await place.json("version")
      #expect(version["server"] == version["version"])
    }
  }
}
