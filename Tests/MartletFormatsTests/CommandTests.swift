// Command lines: W&B's macros, commands given beside the file, values as Python prints them.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct CommandTests {
  private func arguments(_ command: String, beside: [String]? = nil) throws -> [String] {
    let file = try SweepSpecification.read(
      source: """
        program: train.py
        method: grid
        \(command)
        parameters:
          lr: {value: 5e-05}
          deep: {value: true}
          plain: {value: false}
          name: {value: two words}
          layers: {value: [1, 2]}
          none: {value: null}
          opt: {parameters: {beta: {value: 0.75}}}
        """, command: beside)
    let point = try #require(file.space.point(at: 0))
    let run = RunPlace(
      name: "r-1", directory: "/out/r-1", paramsFile: "/out/r-1/params.json",
      environment: ["HOME": "/home/me"])
    return file.arguments(for: point, run: run)
  }

  private let flags = [
    "--lr=5e-05", "--deep=True", "--plain=False", "--name=two words", "--layers=[1, 2]", "--none=None",
    "--opt.beta=0.75",
  ]
  private let json =
    #"{"lr": 5e-05, "deep": true, "plain": false, "name": "two words", "layers": [1, 2], "none": null, "opt": {"beta": 0.75}}"#

  @Test func withoutCommand() throws {
    #expect(try arguments("") == ["/usr/bin/env", "python3", "train.py"] + flags)
  }

  @Test func everyMacro() throws {
    #expect(
      try arguments("command: ['${interpreter}', -u, '${program}', '${args_no_hyphens}']")
        == ["python3", "-u", "train.py"] + flags.map { String($0.dropFirst(2)) })
    #expect(
      try arguments("command: [a, '${args_no_boolean_flags}']") == [
        "a", "--lr=5e-05", "--deep", "--name=two words", "--layers=[1, 2]", "--none=None", "--opt.beta=0.75",
      ])
    #expect(try arguments("command: [a, '${args_json}']") == ["a", json])
    #expect(try JSONValue.parse(json) == JSONValue.parse(json.replacing(", ", with: ",")))
    #expect(try arguments("command: [a, '${args_json_file}']") == ["a", "/out/r-1/params.json"])
    #expect(
      try arguments("command: ['${envvar:HOME}/bin/x', 'a${envvar:NONE}b', '${args_json_file}']")
        == ["/home/me/bin/x", "ab", "/out/r-1/params.json"])
  }

  @Test func aCommandAsOneLine() throws {
    #expect(
      try arguments("command: python3 -c 'print(1)' \"a b\" c\\ d ${args_json_file}")
        == ["python3", "-c", "print(1)", "a b", "c d", "/out/r-1/params.json"])
  }

  @Test func theShellsOwnVariablesAreLeftAlone() throws {
    #expect(
      try arguments("command: [bash, -c, 'echo ${HOME} $1', '${args_json_file}']")
        == ["bash", "-c", "echo ${HOME} $1", "/out/r-1/params.json"])
  }

  @Test func numbersInACommandStayAsWritten() throws {
    #expect(
      try arguments("command: [head, -n, 1e3, 007, yes, '${args_json_file}']").dropLast() == [
        "head", "-n", "1e3", "007", "yes",
      ])
  }

  @Test func aCommandWithoutParametersIsNoted() throws {
    let file = try SweepSpecification.read(
      source: "command: [./run]\nmethod: grid\nparameters: {a: {value: 1}}")
    #expect(file.notes.count == 1)
    #expect(file.notes[0].contains("${args}"))
    #expect(file.commandTemplate == ["./run"])
  }

  @Test func besideTheFile() throws {
    #expect(try arguments("", beside: ["./run", "-v"]) == ["./run", "-v"] + flags)
    #expect(
      try arguments("command: [old]", beside: ["./run", "${args_json_file}"]) == [
        "./run", "/out/r-1/params.json",
      ])
    #expect(try arguments("", beside: ["other.py"]) == ["/usr/bin/env", "python3", "other.py"] + flags)
    #expect(try arguments("", beside: ["python3", "${program}"]) == ["python3", "train.py"] + flags)
    #expect(throws: SweepFileError.self) { try arguments("", beside: ["${argz}"]) }
  }

  @Test func besideAFileWithoutProgram() throws {
    let source = "method: grid\nparameters: {a: {value: 1}}"
    let file = try SweepSpecification.read(source: source, command: ["true"])
    #expect(file.commandTemplate == ["true", "${args}"])
    #expect(throws: SweepFileError.self) {
      try SweepSpecification.read(source: source, command: ["${program}"])
    }
  }
}

@Suite struct PythonTextTests {
  /// What Python 3.11's repr gives.
  @Test(arguments: [
    (5e-05, "5e-05"), (0.0001, "0.0001"), (0.00012345, "0.00012345"), (0.75, "0.75"), (1.0, "1.0"),
    (100.0, "100.0"),
    (1e15, "1000000000000000.0"), (1e16, "1e+16"), (1.5e16, "1.5e+16"),
    (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
    (1e100, "1e+100"), (1.5e-10, "1.5e-10"), (-0.001, "-0.001"), (-0.0, "-0.0"),
    (0.1 + 0.2, "0.30000000000000004"),
    (9_007_199_254_740_992.0, "9007199254740992.0"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
    (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    (123.456, "123.456"),
  ])
  func reals(number: Double, text: String) { #expect(PythonText.text(number) == text) }

  @Test func scientific() {
    #expect(PythonText.scientific(5e-4) == "5.00e-04")
    #expect(PythonText.scientific(0.75) == "7.50e-01")
    #expect(PythonText.scientific(1e120) == "1.00e+120")
  }

  @Test func json() {
    #expect(
      PythonText.json([1, 2.5, "a\"é", nil, true, ["k": []]]) == #"[1, 2.5, "a\"é", null, true, {"k": []}]"#)
    #expect(PythonText.json(.double(.infinity)) == "Infinity")
  }
}
