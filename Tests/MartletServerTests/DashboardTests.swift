// The dashboard's files.

import Foundation
import MartletExecution
import MartletModel
import Testing

@testable import MartletServer

@Suite(.serialized) struct DashboardTests {
  @Test func `the page is handed out for each address that is nobody else's`() async throws {
    try await TestServer.run { server in
      let page = try await server.request("GET", "/")
      #expect(page.status == 200)
      #expect(page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.headers["cache-control"] == "no-cache")
      #expect(page.text.contains("<title>Martlet</title>"))
      for path in [
        "/index.html", "/project/digits/runs?sort=x", "/runs/abcd1234", "/%zz", "//", "/../etc/passwd",
      ] {
        #expect(try await server.request("GET", path).body == page.body, "\(path)")
      }
      for method in ["POST", "PUT", "DELETE"] {
        #expect(try await server.request(method, "/").status == 405)
      }
    }
  }

  @Test func `files go out as they are stored, or unpacked for who cannot take that`() async throws {
    try await TestServer.run { server in
      let pack = try AssetPack.embedded()
      for path in pack.paths {
        let asset = try #require(pack[path])
        let packed = try await server.request("GET", path, headers: [("Accept-Encoding", "br, gzip;q=0.8")])
        #expect(packed.headers["content-encoding"] == (asset.isGzip ? "gzip" : nil), "\(path)")
        #expect(packed.body == asset.bytes)
        #expect(packed.headers["content-type"] == asset.type)
        for encodings in [[], [("Accept-Encoding", "identity")], [("Accept-Encoding", "gzip;q=0, *")]] {
          let plain = try await server.request("GET", path, headers: encodings)
          #expect(plain.headers["content-encoding"] == nil)
          let unpacked = try asset.plain
          #expect(plain.body == unpacked)
        }
      }
    }
  }

  @Test func `unpacking gives what was packed`() throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    var generator = SystemRandomNumberGenerator()
    let noise = (0..<100_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let text = Array(String(repeating: "All work and no play makes Jack a dull bird. ", count: 5_000).utf8)
    for (name, content) in [("empty", []), ("one", [7]), ("noise", noise), ("text", text)]
      as [(String, [UInt8])]
    {
      for level in ["-1", "-9"] {
        let path = "\(directory.path)/\(name)\(level)"
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
        let gzip = ChildProcess("/bin/gzip", [level, path], environment: ["PATH": "/usr/bin:/bin"])
        #expect(try gzip.run(within: .seconds(60)).isSuccess)
        let packed = Array(try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
        #expect(try gunzip(packed) == content, "\(name) \(level)")
        // Cut anywhere, it is an error and no crash.
        for length in stride(from: 0, to: packed.count - 8, by: max(1, packed.count / 50)) {
          #expect(throws: GzipError.self) { try gunzip(Array(packed[..<length])) }
        }
      }
    }
  }

  @Test func `what has not changed is not sent again`() async throws {
    try await TestServer.run { server in
      let pack = try AssetPack.embedded()
      let script = try #require(pack.paths.first { $0.hasSuffix(".js") })
      let first = try await server.request("GET", script)
      #expect(first.headers["cache-control"] == "public, max-age=31536000, immutable")
      for path in [script, "/", "/some/page"] {
        let etag = try #require(try await server.request("GET", path).headers["etag"])
        for value in [etag, "\"other\", \(etag)", "*"] {
          let again = try await server.request("GET", path, headers: [("If-None-Match", value)])
          #expect(again.status == 304)
          #expect(again.body.isEmpty)
          #expect(again.headers["etag"] == etag)
        }
        #expect(try await server.request("GET", path, headers: [("If-None-Match", "\"x\"")]).status == 200)
      }
    }
  }

  @Test func `while it is worked on, it comes from a folder and never from outside of it`() async throws {
    let directory = TemporaryDirectory()
    let ui = directory.path + "/ui"
    try FileManager.default.createDirectory(atPath: ui, withIntermediateDirectories: true)
    try "<p>page".write(toFile: ui + "/index.html", atomically: false, encoding: .utf8)
    try "run()".write(toFile: ui + "/app.js", atomically: false, encoding: .utf8)
    try "secret".write(toFile: directory.path + "/outside.txt", atomically: false, encoding: .utf8)
    try await TestServer.run { options in
      options.uiDirectory = ui
    } _: { server in
      let script = try await server.request("GET", "/app.js")
      #expect(script.text == "run()")
      #expect(script.headers["content-type"] == "text/javascript; charset=utf-8")
      for path in ["/", "/runs", "/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/.hidden"] {
        #expect(try await server.request("GET", path).text == "<p>page", "\(path)")
      }
    }
  }

  @Test func `a damaged pack is told, not served`() {
    let packs: [[UInt8]] = [[], [1, 0], [255, 255, 255, 255], [2, 0, 0, 0, 0x5B, 0x7B]]
    for pack in packs {
      #expect(throws: (any Error).self) { try AssetPack(pack) }
    }
    let beyond = Array(#"[{"path":"/a","type":"t","etag":"e","offset":0,"len":9,"gzip":false}]"#.utf8)
    #expect(throws: AssetPack.Damaged.self) {
      try AssetPack([UInt8(beyond.count), 0, 0, 0] + beyond + [1, 2])
    }
  }
}
