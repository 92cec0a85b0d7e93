// What the options of `up` do to the server that they start, seen from outside.

import Foundation
import MartletModel
import Testing

@Suite("options of up", .serialized)
struct UpOptionTests {
  private static let status = "/api/v1/status"

  @Test("--open-loopback answers without a token; without it nobody gets in without one")
  func openLoopback() async throws {
    try await Workplace.withServer(["--open-loopback"]) { place in
      let answer = try await place.request("GET", Self.status, token: nil)
      #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
    }
    try await Workplace.withServer { place in
      let refused = try await place.request("GET", Self.status, token: nil)
      #expect(refused.hasPrefix("HTTP/1.1 401 "), "\(refused)")
      let answer = try await place.request("GET", Self.status, token: place.token)
      #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
    }
  }

  @Test("--allowed-host lets that name in, and no other")
  func allowedHost() async throws {
    let names = ["--allowed-host", "martlet.example.org", "--allowed-host", "other.example.org"]
    try await Workplace.withServer(names) { place in
      for host in ["martlet.example.org", "other.example.org", "localhost"] {
        let answer = try await place.request("GET", Self.status, host: host, token: place.token)
        #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(host): \(answer)")
      }
      let refused = try await place.request("GET", Self.status, host: "evil.example.org", token: place.token)
      #expect(refused.hasPrefix("HTTP/1.1 403 "), "\(refused)")
    }
  }

  @Test("--behind-proxy listens on every address; sign-in links are for the address behind it")
  func behindProxy() async throws {
    let options = ["--host", "0.0.0.0", "--behind-proxy", "--allowed-host", "martlet.example.org"]
    try await Workplace.withServer(options) { place in
      let answer = try await place.request(
        "GET", Self.status, host: "martlet.example.org", token: place.token)
      #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
      let refused = try await place.request(
        "GET", Self.status, host: "martlet.example.org", token: nil)
      #expect(refused.hasPrefix("HTTP/1.1 401 "), "\(refused)")
      // It listens on every address of this machine.
      let port = try #require(URL(string: place.announcedURL)?.port)
      #expect(
        try RawConnection.connections().contains(String(format: "00000000:%04X 00000000:0000 0A", port)))
    }
  }

  @Test("what options of devices and their line cannot be is said with status 64, before anything starts")
  func poolFaults() async throws {
    try await Workplace.with { place in
      for (options, word) in [
        (["--devices", "8x24QB"], "8x24QB"), (["--devices", "-3"], "--devices"),
        (["--slots", "0"], "--slots"),
        (["--cpu-slots", "-1"], "--cpu-slots"), (["--memory-limit", "much"], "--memory-limit"),
        (["--gpu-memory-limit", "0GB"], "--gpu-memory-limit"), (["--backfill", "x"], "backfill"),
        (["--balance", "1.5"], "--balance"), (["--gpu-weights", "0.6"], "--gpu-weights"),
        (["--gpu-weights", "0,0"], "--gpu-weights"),
        (["--foreign-utilization", "150%"], "--foreign-utilization"),
        (["--foreign-free-memory", "-8GB"], "foreign-free-memory"),
      ] {
        let outcome = try await place.martlet(["up"] + options)
        #expect(outcome.status == 64, "\(options): \(outcome)")
        #expect(outcome.errors.contains(word), "\(options): \(outcome)")
      }
      #expect(!place.exists(place.data))
    }
  }

  @Test("all options of devices and their line reach a server in the background")
  func poolOptions() async throws {
    let options = [
      "--devices", "24GB,2x80GB/3", "--slots", "2", "--cpu-slots", "1", "--memory-limit", "48GB",
      "--gpu-memory-limit", "100GB", "--backfill", "2", "--group-equal-needs", "--balance", "0.5",
      "--gpu-weights", "0.3,0.7", "--foreign-utilization", "40%", "--foreign-free-memory", "2GiB",
    ]
    try await Workplace.withServer(options) { place in
      let status = try await place.json("status")
      #expect(status["devices"]?.array?.count == 3)
      // One CPU slot: the second command waits for the first, and sees its end.
      let first = try await place.martlet(
        "run", "--detach", "--", "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo > first")
      #expect(first.status == 0, "\(first)")
      let second = try place.start(["run", "--", "sh", "-c", "cat first; echo \"<$MARTLET_DEVICES>\""])
      try place.write("go", "")
      let outcome = try await second.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("<>"), "\(outcome)")
    }
  }

  @Test("--devices: trials that need one get one each, and see it in CUDA_VISIBLE_DEVICES")
  func devices() async throws {
    try await Workplace.withServer(["--devices", "2"]) { place in
      // Each trial waits for the other: both devices are in use at once.
      try place.write(
        "device.sh",
        """
        device=$CUDA_VISIBLE_DEVICES
        echo "device $device"
        : > "device-$device"
        tries=0
        until [ -e device-0 ] && [ -e device-1 ]; do
          tries=$((tries + 1))
          [ $tries -lt 2400 ] || exit 1
          sleep 0.05
        done

        """)
      try place.write(
        "devices.yaml",
        """
        method: grid
        command: [sh, device.sh, "${args}"]
        resources: {gpus: 1}
        max_parallel: 2
        parameters: {x: {values: [1, 2]}}

        """)
      let outcome = try await place.martlet("sweep", "run", "devices.yaml")
      #expect(outcome.status == 0, "\(outcome)")
      let runs = try await place.json("run", "list").array ?? []
      var printed: Set<String> = []
      for run in runs {
        printed.insert(try await place.martlet("run", "logs", run["id"]?.string ?? "").output)
      }
      #expect(printed == ["device 0\n", "device 1\n"])
      // A command that asks for none sees none.
      let none = try await place.martlet("run", "--", "sh", "-c", "echo \"<$CUDA_VISIBLE_DEVICES>\"")
      #expect(none.output.contains("<>"), "\(none)")
      #expect(none.errors.contains("shares out 2 devices, and this run sees none: --gpus 1"), "\(none)")
    }
  }
}
