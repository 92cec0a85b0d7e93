// Which server a command talks to, and what it says when that does not work.

import Foundation
import MartletExecution
import MartletModel
import MartletTestSupport
import Testing

@Suite("finding the server", .serialized)
struct ConnectionTests {
  @Test(
    "no server is status 69", arguments: ["status", "run list", "sweep list", "project list", "token list"])
  func nothingUp(command: String) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet(command.split(separator: " ").map(String.init))
      #expect(outcome.status == 69, "\(outcome)")
      #expect(outcome.errors.contains(place.data))
      #expect(outcome.errors.contains("martlet up"))
      #expect(outcome.output.isEmpty)
    }
  }

  @Test("an address where nobody answers is status 69, at once, and nothing is started in its stead")
  func refused() async throws {
    try await Workplace.with { place in
      for command in [["status"], ["run", "--", "true"]] {
        let started = ContinuousClock.now
        let outcome = try await place.martlet(command, environment: ["MARTLET_URL": "http://127.0.0.1:1"])
        #expect(outcome.status == 69, "\(outcome)")
        #expect(.now - started < .seconds(60), "followers wait for two minutes")
      }
      #expect(!place.exists(place.data))
    }
  }

  @Test(
    "an address that is none is status 64",
    arguments: ["localhost:7979", "ftp://127.0.0.1", "http://", "x y"])
  func noAddress(url: String) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet("status", "--url", url)
      #expect(outcome.status == 64, "\(outcome)")
    }
  }

  @Test("MARTLET_URL with MARTLET_DATA: the token comes from that directory")
  func addressAndDirectory() async throws {
    try await Workplace.withServer { place in
      let address = ["MARTLET_URL": place.announcedURL]
      let both = try await place.martlet("status", environment: address)
      #expect(both.status == 0, "\(both)")

      let elsewhere = ["MARTLET_DATA": place.root.path + "/elsewhere"]
      let noToken = try await place.martlet("status", environment: address.merging(elsewhere) { $1 })
      #expect(noToken.status == 77, "\(noToken)")

      let token = try place.text(of: place.data + "/token").trimmingCharacters(in: .newlines)
      let variables = address.merging(elsewhere) { $1 }.merging(["MARTLET_TOKEN": token]) { $1 }
      let named = try await place.martlet("status", environment: variables)
      #expect(named.status == 0, "\(named)")

      let options = ["status", "--url", place.announcedURL, "--token", token]
      #expect(try await place.martlet(options, environment: elsewhere).status == 0)
      #expect(try await place.martlet(["status", "--data", place.data], environment: elsewhere).status == 0)
    }
  }

  @Test("a wrong token is status 77, with a hint")
  func wrongToken() async throws {
    try await Workplace.withServer { place in
      let outcome = try await place.martlet("run", "list", "--token", "nonsense")
      #expect(outcome.status == 77, "\(outcome)")
      #expect(outcome.errors.split(separator: "\n").count >= 2)
    }
  }

  @Test("no proxy is asked, whatever the environment says")
  func noProxy() async throws {
    try await Workplace.withServer { place in
      let proxies = ["http_proxy": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1", "no_proxy": ""]
      let outcome = try await place.martlet(["status"], environment: proxies)
      #expect(outcome.status == 0, "\(outcome)")
    }
  }

  @Test("what is no Martlet server is status 69")
  func foreign() async throws {
    try await Workplace.with { place in
      let server = try Running(
        ["python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], environment: [:],
        directory: place.root, program: "/usr/bin/env")
      defer { server.signal(SIGKILL) }
      // "Serving HTTP on 127.0.0.1 port 41234 (http://127.0.0.1:41234/) ..."
      #expect(try await eventually { server.outputSoFar.contains("/) ...") })
      let words = server.outputSoFar.split(separator: " ")
      let port = try #require(words.firstIndex(of: "port").map { words[$0 + 1] })
      let outcome = try await place.martlet("status", "--url", "http://127.0.0.1:\(port)")
      #expect(outcome.status == 69, "\(outcome)")
      #expect(outcome.errors.contains("no Martlet server"))
    }
  }

  private static let openssl = ChildProcess.locate("openssl", environment: Binary.environment([:]))

  /// TLS with a certificate that nobody signed; it prints its port.
  private static let secure = """
    import http.server, ssl, sys
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("certificate.pem", "key.pem")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, "is open", flush=True)
    server.serve_forever()
    """

  @Test(
    "a certificate that cannot be trusted is status 69, and nothing is sent", .enabled(if: openssl != nil))
  func untrusted() async throws {
    try await Workplace.with { place in
      let words =
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=localhost"
      let openssl = try #require(Self.openssl)
      let made = try ChildProcess(
        openssl, words.split(separator: " ").map(String.init), environment: Binary.environment([:]),
        directory: place.root.path
      ).run(within: .seconds(60))
      try #require(made.isSuccess)
      let server = try Running(
        ["python3", "-u", "-c", Self.secure], environment: [:], directory: place.root,
        program: "/usr/bin/env")
      defer { server.signal(SIGKILL) }
      #expect(try await eventually { server.outputSoFar.contains("is open") })
      let port = try #require(server.outputSoFar.split(separator: " ").first)
      let outcome = try await place.martlet(
        "status", "--url", "https://localhost:\(port)", "--token", "secret")
      #expect(outcome.status == 69, "\(outcome)")
      #expect(outcome.errors.contains("its certificate is not one that this machine trusts"), "\(outcome)")
      #expect(!server.errorsSoFar.contains("GET"))
    }
  }
}
