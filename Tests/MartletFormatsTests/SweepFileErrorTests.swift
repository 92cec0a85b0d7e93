// Sweep files that are wrong: where, what was expected, and what was probably meant.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct SweepFileErrorTests {
  private func error(
    in source: String, filename: String? = "sweep.yaml", command: [String]? = nil
  ) throws -> SweepFileError {
    let error = #expect(throws: SweepFileError.self) {
      try SweepSpecification.read(source: source, filename: filename, command: command)
    }
    return try #require(error)
  }

  /// What the keys before the flaw are in most of these files.
  private static let head = "program: t.py\nmethod: grid\nparameters: {a: {values: [1, 2]}}\n"

  @Test func unknownKeyNamesTheNearest() throws {
    let error = try error(in: "program: t.py\nparameters:\n  a: {values: [1]}\n\nmetod: grid\n")
    #expect(error.description == "sweep.yaml:5:1: unknown key 'metod'; did you mean 'method'?")
    #expect(error.key == "metod")
    #expect(error.nearest == "method")
    // The misspelt key is not told as a missing one besides.
    #expect(error.others.isEmpty)
  }

  @Test func aBoundThatIsNoWholeNumberIsSaidInWords() throws {
    let error = try error(
      in: "program: t.py\nmethod: grid\nparameters: {a: {distribution: int_uniform, min: 0.5, max: 3}}\n")
    #expect(error.description.contains("'parameters.a.min' must be a whole number, not '0.5'"))
  }

  @Test func theProblemCarriesTheDetails() throws {
    let problem = try error(in: "program: t.py\nmetod: grid\nparameters: {a: {value: 1}}").problem
    #expect(problem.code == .unprocessable)
    #expect(problem.details["line"] == 2)
    #expect(problem.details["column"] == 1)
    #expect(problem.details["key"] == "metod")
    #expect(problem.details["nearest"] == "method")
    #expect(problem.details["expected"]?.string?.contains("method") == true)
    #expect(problem.message.contains("sweep.yaml:2:1"))
  }

  @Test func allFlawsAreTold() throws {
    let error = try error(
      in: """
        program: t.py
        method: grid
        max_paralel: 3
        run_cap: 0
        metric: {goal: down}
        parameters:
          a: {vales: [1]}
          b: 3
        """)
    #expect(
      error.flaws.map(\.key) == [
        "max_paralel", "metric.name", "metric.goal", "parameters.a.vales", "parameters.b", "run_cap",
      ])
    #expect(error.description.split(separator: "\n").count == 6)
  }

  @Test func twiceTheSameKey() throws {
    let error = try error(
      in: "program: t.py\nmethod: grid\nparameters:\n  lr: {value: 1}\n  wd: {value: 1}\n  lr: {value: 2}\n")
    #expect((error.line, error.column) == (6, 3))
    #expect(error.key == "lr")
    #expect(error.message.contains("line 4"))
    let quoted = try self.error(in: "program: t.py\n\"program\": u.py\n")
    #expect((quoted.line, quoted.column) == (2, 1))
    // A number and its text are one key.
    let mixed = try self.error(in: Self.head + "env: {1: a, \"1\": b}")
    #expect(mixed.message.contains("twice"))
    let json = try self.error(in: "{\"method\": \"grid\",\n \"method\": \"random\"}", filename: "a.json")
    #expect(json.message.contains("twice"))
    #expect(json.line == 2)
  }

  @Test func unreadableText() throws {
    let tab = try error(in: "program: t.py\n\tmethod: grid\n")
    #expect(tab.line == 2)
    #expect(tab.message.hasPrefix("this is no YAML"))
    let open = try error(in: "program: [t.py\nmethod: grid\n")
    #expect(open.message.hasPrefix("this is no YAML"))
    let json = try error(in: "{\"program\": \"t.py\",\n \"method\" \"grid\"}", filename: "sweep.json")
    #expect((json.line, json.column) == (2, 11))
    #expect(json.message.hasPrefix("this is no JSON"))
    let two = try error(in: Self.head + "---\n" + Self.head)
    #expect(two.line == 4)
    for empty in ["", "  \n", "# nothing\n", "---\n", "null"] { _ = try error(in: empty) }
    let list = try error(in: "- a\n- b")
    #expect(list.message.contains("a list"))
  }

  @Test func aFileThatUnfoldsWithoutEndIsRefused() throws {
    var lines = ["x-0: &x0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    for level in 1...9 {
      lines.append(
        "x-\(level): &x\(level) [" + Array(repeating: "*x\(level - 1)", count: 9).joined(separator: ", ")
          + "]")
    }
    let error = try error(in: lines.joined(separator: "\n"))
    #expect(error.message.contains("too many"))
  }

  @Test(arguments: [
    ("program: t.py\nparameters: {a: {value: 1}}", "method"), ("program: t.py\nmethod: grid", "parameters"),
    ("method: grid\nparameters: {a: {value: 1}}", "program"),
    (head + "metric: {goal: maximize}", "metric.name"),
    ("{\"base_command\": \"x\"}", "sweep_params"),
    ("{\"sweep_params\": {\"a\": {\"values\": [1]}}}", "base_command"),
    ("base_command: x\nsweep_params: {a: {prefix: p}}", "sweep_params.a.values"),
  ])
  func missingKeys(source: String, key: String) throws {
    let error = try error(in: source)
    #expect(error.key == key)
    #expect(error.message.contains("missing"))
    #expect(error.expected != nil)
    #expect(error.others.isEmpty)
  }

  @Test(arguments: [
    // Wrong kinds and values out of range.
    ("run_cap: 0", "run_cap"), ("run_cap: 1.5", "run_cap"), ("run_cap: many", "run_cap"),
    ("run_cap: '3'", "run_cap"),
    ("max_parallel: 0.5", "max_parallel"), ("max_parallel: -1", "max_parallel"),
    ("max_parallel: [2]", "max_parallel"),
    ("max_parallel_experiments: 0", "max_parallel_experiments"),
    ("max_parallel: 1\nmax_parallel_experiments: 2", "max_parallel_experiments"),
    ("timeout: 0", "timeout"), ("timeout: soon", "timeout"), ("timeout: 5w", "timeout"),
    ("timeout: -3", "timeout"),
    ("timeout: 1h30", "timeout"), ("timeout: .inf", "timeout"), ("grace: -1", "grace"),
    ("stop_signal: HUP", "stop_signal"),
    ("resources: {gpus: -1}", "resources.gpus"), ("resources: {gpu: 1}", "resources.gpu"),
    ("resources: 2", "resources"), ("resources: {gpus: 1.5}", "resources.gpus"),
    ("resources: {gpus: 2 *}", "resources.gpus"), ("resources: {gpus: nowhere / 2}", "resources.gpus"),
    ("resources: {gpu_memory: 20XB}", "resources.gpu_memory"),
    ("resources: {gpu_memory: 0}", "resources.gpu_memory"),
    ("resources: {gpu_slots: 0}", "resources.gpu_slots"),
    ("resources: {same_host: maybe}", "resources.same_host"),
    ("resources: {cpus: 0}", "resources.cpus"), ("resources: {output: 5XB}", "resources.output"),
    ("resources: {open_files: 3}", "resources.open_files"),
    ("resources: {memory: [1]}", "resources.memory"), ("retries: many", "retries"),
    ("retries: -1", "retries"), ("retries: {infra: -1}", "retries.infra"),
    ("retries: {fail: 1}", "retries.fail"), ("retry_pause: soon", "retry_pause"),
    ("priority: high", "priority"), ("breaker: 0", "breaker"),
    ("seed: -1", "seed"), ("seed: x", "seed"), ("env: [A]", "env"), ("env: {A: [1]}", "env.A"),
    ("name: [a]", "name"),
    ("metric: loss", "metric"), ("metric: {name: loss, goal: down}", "metric.goal"),
    ("metric: {name: loss, goal: min}", "metric.goal"),
    ("metric: {name: loss, target: low}", "metric.target"),
    ("metric: {name: loss, gaol: minimize}", "metric.gaol"),
    ("metric: {name: '', goal: minimize}", "metric.name"),
    ("command: []", "command"), ("command: [a, [b]]", "command[1]"), ("command: {a: b}", "command"),
    ("command: 'python \"t.py'", "command"), ("command: ['${progam}']", "command"),
    ("command: ''", "command"),
    ("run_name: 'lr{lt}'", "run_name"), ("run_name: 'a{a'", "run_name"), ("run_name: '{a:3d}'", "run_name"),
    // Empty values.
    ("name:", "name"), ("run_cap:", "run_cap"), ("metric:", "metric"), ("metric: {}", "metric"),
    ("timeout:", "timeout"),
    ("command:", "command"), ("workdir: ''", "workdir"), ("checkpoint: ' '", "checkpoint"),
    ("resources: {}", "resources"),
    // It compares values, and nothing says of what.
    ("early_terminate: {type: hyperband, min_iter: 3}", "early_terminate"),
    ("metric: {name: loss, of: middle}", "metric.of"), ("budget: {time: soon}", "budget.time"),
    ("budget: {trails: 3}", "budget.trails"), ("budget: {gpu_hours: -1}", "budget.gpu_hours"),
    ("constraints: [latency]", "constraints[0]"), ("constraints: [{metric: a}]", "constraints[0]"),
    ("points: [{a: 3}]", "points[0]"), ("points: [{b: 1}]", "points[0].b"), ("points: {a: 1}", "points"),
    ("points: [{name: x, a: 1}, {name: x, a: 2}]", "points[1]"), ("points: [{a: 1}, {a: 1}]", "points[1]"),
    ("objectives: []", "objectives"), ("objectives: [{goal: minimize}]", "objectives[0].name"),
  ])
  func flawedTopLevelValues(line: String, key: String) throws {
    let error = try error(in: Self.head + line)
    #expect(error.key == key)
    #expect(error.others.isEmpty)
    #expect(error.line == 3 + line.split(separator: "\n").count)
  }

  @Test(arguments: [
    ("gird", "grid"), ("Random", "random"), ("zzzzzz", nil as String?),
  ])
  func methodsThatAreNotThere(method: String, nearest: String?) throws {
    let error = try error(in: "program: t.py\nmethod: \(method)\nparameters: {a: {value: 1}}")
    #expect(error.key == "method")
    #expect((error.line, error.column) == (2, 9))
    #expect(error.nearest == nearest)
    #expect(error.message.contains("grid, "))
  }

  @Test func goalNamesTheChoice() throws {
    let error = try error(in: Self.head + "metric: {name: loss, goal: min}")
    #expect(error.nearest == "minimize")
    #expect(
      error.description.hasSuffix(
        "'metric.goal' must be minimize or maximize, not 'min'; did you mean 'minimize'?"))
  }

  @Test(arguments: [
    ("{}", "parameters"), ("", "parameters"), ("[a]", "parameters"), ("{a: 3}", "parameters.a"),
    ("{a: [1, 2]}", "parameters.a"), ("{a: }", "parameters.a"), ("{a: {}}", "parameters.a"),
    ("{a: {values: []}}", "parameters.a.values"), ("{a: {values: }}", "parameters.a.values"),
    ("{a: {values: 3}}", "parameters.a.values"), ("{a: {value: 1, values: [1]}}", "parameters.a.values"),
    ("{a: {vlaues: [1]}}", "parameters.a.vlaues"), ("{a: {min: 1}}", "parameters.a.max"),
    ("{a: {max: 1}}", "parameters.a.min"), ("{a: {min: 2, max: 1}}", "parameters.a.min"),
    ("{a: {min: 3, max: 2}}", "parameters.a.min"), ("{a: {min: 0.5, max: 0.1}}", "parameters.a.min"),
    ("{a: {min: low, max: 2}}", "parameters.a.min"), ("{a: {min: 1, max: 5, q: 0}}", "parameters.a.q"),
    ("{a: {distribution: unifrom, min: 1, max: 2}}", "parameters.a.distribution"),
    ("{a: {distribution: int_uniform, min: 0.5, max: 2}}", "parameters.a.min"),
    ("{a: {distribution: log_uniform_values, min: 0, max: 2}}", "parameters.a.min"),
    ("{a: {distribution: normal, mu: 0, sigma: 0}}", "parameters.a.sigma"),
    ("{a: {distribution: normal, min: 0}}", "parameters.a.min"),
    ("{a: {distribution: beta, a: 1}}", "parameters.a.b"),
    ("{a: {values: [1, 2], probabilities: [1]}}", "parameters.a.probabilities"),
    ("{a: {values: [1, 2], probabilities: [x, y]}}", "parameters.a.probabilities"),
    ("{a: {parameters: {}}}", "parameters.a.parameters"),
    ("{a: {parameters: {b: 3}}}", "parameters.a.parameters.b"),
    ("{a: {parameters: {b: {value: 1}}, min: 3}}", "parameters.a.min"),
    ("{a: {parameters: {b: {value: 1}}}, a.b: {value: 2}}", "parameters.a.b"),
  ])
  func flawedParameters(parameters: String, key: String) throws {
    let error = try error(in: "program: t.py\nmethod: random\nparameters: \(parameters)\n")
    #expect(error.key == key)
    #expect(error.line == 3)
    #expect(error.others.isEmpty)
  }

  @Test func aGridNeedsAnEnd() throws {
    let error = try error(
      in: "program: t.py\nmethod: grid\nparameters:\n  a: {values: [1]}\n  lr: {min: 0.0, max: 1.0}\n")
    #expect((error.line, error.column) == (5, 3))
    #expect(error.key == "parameters.lr")
    #expect(error.message.contains("'lr'"))
    #expect(error.message.contains("random"))
  }

  @Test func aBareValueIsToldHowToWriteIt() throws {
    let error = try error(in: "program: t.py\nmethod: grid\nparameters:\n  epochs: 5\n")
    #expect(error.message.contains("{value: 5}"))
    #expect((error.line, error.column) == (4, 11))
  }

  @Test func placesInJSON() throws {
    let source = """
      {
      \t"program": "t.py",
      \t"method": "grid",
      \t"parameters": {
      \t\t"a": {"values": []}
      \t}
      }
      """
    let error = try error(in: source, filename: "sweep.json")
    #expect(error.description.hasPrefix("sweep.json:5:"))
    #expect(error.key == "parameters.a.values")
  }

  @Test(arguments: ["[", "- ", "{a: ", "? ", "\"a\": {"])
  func endlessNestingIsRefused(opening: String) throws {
    for count in [2000, 100_000] { _ = try error(in: String(repeating: opening, count: count)) }
    _ = try error(in: "{\"a\": " + String(repeating: "[", count: 100_000), filename: "sweep.json")
  }

  @Test(arguments: ["!!python/tuple [1]", "!mine 3", "!!set {a}", "!!int x", "!!float x", "!!bool 3"])
  func tagsThatMeanNothingHere(value: String) throws {
    let error = try error(in: "program: t.py\nmethod: grid\nparameters: {a: {value: \(value)}}")
    #expect((error.line, error.column) == (3, 25))
  }
}
