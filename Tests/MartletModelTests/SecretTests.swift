// Secrets among variables and arguments, by the examples that the Python client is tested with too.

import Foundation
import MartletModel
import OrderedCollections
import Testing

@Suite struct SecretTests {
  private let examples: JSONValue

  init() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = try Data(contentsOf: tests.appending(path: "Fixtures/secrets.json"))
    examples = try JSONValue.parse(Array(text))
  }

  @Test func variables() throws {
    let variables = try #require(examples["variables"]?.array)
    #expect(variables.count > 30)
    for example in variables {
      let (name, value) = (example["name"]?.string ?? "", example["value"]?.string ?? "")
      #expect(Secrets.isSecret(name: name, value: value) == example["secret"]?.bool, "\(name)=\(value)")
    }
  }

  @Test func arguments() throws {
    let lines = try #require(examples["arguments"]?.array)
    #expect(lines.count > 20)
    for example in lines {
      let given = example["given"]?.array?.compactMap(\.string) ?? []
      #expect(JSONValue(Secrets.masked(given)) == example["kept"], "\(given)")
    }
  }

  @Test func anEnvironmentLosesItsSecrets() throws {
    let given: JSONValue = [
      "os": "Debian", "cpu": ["model": "Xeon", "cores": 4, "threads": 8], "memory_bytes": 64_000_000_000,
      "gpus": [["name": "A100", "memory_bytes": 1], ["name": "A100"], ["name": "L4", "driver": "550"]],
      "python": ["version": "3.12.1"], "argv": ["train.py", "--token", "abcdefgh"], "cwd": nil,
      "variables": ["HF_TOKEN": "x", "B": "2", "A": "1", "URL": "http://u:p@h/", "LONG": .string(.long)],
    ]
    let environment = try RunEnvironment(json: given, path: "environment")
    let json = environment.json
    #expect(json["variables"]?.object?.keys.elements == ["A", "B", "LONG"])
    #expect(json["variables"]?["LONG"]?.string?.utf8.count == 4_096 + "…".utf8.count)
    #expect(json["argv"] == ["train.py", "--token", "***"])
    #expect(json["cwd"] == nil)
    #expect(environment.hardware == "2 × A100 · L4 · Xeon, 8 threads · 64 GB")
    let merged = environment.merging(try RunEnvironment(json: ["os": "Fedora"], path: "environment"))
    #expect(merged.json["os"] == "Fedora")
    #expect(merged.json["cpu"] == json["cpu"])
    #expect(RunEnvironment().hardware == nil)
  }

  @Test(
    arguments: [
      (["os": 1], "environment.os"), (["cpu": ["model": 2]], "environment.cpu.model"),
      (["cpu": ["cores": -1]], "environment.cpu.cores"),
      (["gpus": [["nam": "x"]]], "environment.gpus[0].nam"),
      (["variables": ["A": 1]], "environment.variables.A"), (["memory": 1], "environment.memory"),
      (["python": "3.12"], "environment.python"), (["argv": "train.py"], "environment.argv"),
      (["os": .string(.huge)], "environment"), (["memory_bytes": .int(.max)], "environment.memory_bytes"),
    ] as [(JSONValue, String)]) func wrongEnvironments(json: JSONValue, key: String)
  {
    let error = #expect(throws: JSONMemberError.self) {
      try RunEnvironment(json: json, path: "environment")
    }
    #expect(error?.key == key)
  }

  @Test func models() throws {
    let model = try ModelSummary(
      json: [
        "layers": [
          [
            "name": "fc", "type": "Linear", "parameters": 110, "trainable": true, "input_shape": [nil, 10],
            "output_shape": [[1, 11], nil],
          ], ["name": "frozen", "parameters": 5, "trainable": false],
        ], "parameters": 115, "trainable": 110, "framework": "torch",
      ], path: "model")
    #expect(model.json["layers"]?.array?.map { $0["trainable"] } == [110, 0])
    #expect(model.json["layers"]?.array?.first?["input_shape"] == [nil, 10])
    for (wrong, key) in [
      (["layers": [["type": "Linear"]]], "model.layers[0].name"),
      (["layers": [["name": "a", "input_shape": ["b"]]]], "model.layers[0].input_shape"),
      (["parameters": -1], "model.parameters"), (["layer": []], "model.layer"),
    ] as [(JSONValue, String)] {
      let error = #expect(throws: JSONMemberError.self) { try ModelSummary(json: wrong, path: "model") }
      #expect(error?.key == key)
    }
  }

  @Test(arguments: [
    "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".", "", "a\nb", "a\\b", "a/./b", "\u{85}",
    "../\u{301}x", "/\u{301}x", "a/../\u{301}",
    String(repeating: "a", count: 256), String(repeating: "a/", count: 600) + "b",
  ]) func pathsThatAreRefused(path: String) { #expect(RunFile.fault(ofPath: path) != nil, "\(path)") }

  @Test(arguments: ["a", "a/b.c", "..a/b..", "checkpoints/epoch=3.ckpt", "Grüße/日本.txt", "-rf", ".env"])
  func pathsThatAreTaken(path: String) { #expect(RunFile.fault(ofPath: path) == nil) }

  @Test(arguments: [
    (0, "1970-01-01 00:00:00 UTC"), (1_790_000_000_000_000, "2026-09-21 14:13:20 UTC"),
    (951_782_399_999_999, "2000-02-28 23:59:59 UTC"), (951_782_400_000_000, "2000-02-29 00:00:00 UTC"),
    (-1, "1969-12-31 23:59:59 UTC"), (4_107_542_399_000_000, "2100-02-28 23:59:59 UTC"),
    (4_107_542_400_000_000, "2100-03-01 00:00:00 UTC"),
  ]) func timesInWords(microseconds: Int64, words: String) {
    #expect(Timestamp(microseconds: microseconds).inWords == words)
  }
}

extension String {
  fileprivate static var long: String { String(repeating: "x", count: 5_000) }
  fileprivate static var huge: String { String(repeating: "x", count: 2 << 20) }
}
