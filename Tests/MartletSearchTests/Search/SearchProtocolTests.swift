// The line protocol: requests and answers as they stand on the line.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SearchProtocolTests {
  private var program = SearchProtocol()

  private mutating func ask(_ line: String) throws -> JSONValue { try JSONValue.parse(program.answer(line)) }

  private mutating func create(
    _ params: String, _ more: String = #""algorithm":"random""#, objectives: String = ""
  )
    throws -> JSONValue
  {
    try ask(#"{"op":"create","study":"s","seed":3,\#(more),"space":{"params":[\#(params)]\#(objectives)}}"#)
  }

  @Test mutating func aStudyFromBeginningToEnd() throws {
    let hello = try ask(#"{"op":"hello"}"#)
    #expect(hello["protocol"] == 1)
    #expect(hello["algorithms"]?.array?.contains("random") == true)
    #expect(hello["algorithms"]?.array?.contains("median") == true)
    #expect(hello["algorithms"]?.array?.contains("points") == false)
    #expect(
      try create(
        #"{"name":"x","type":"float","low":0,"high":1,"step":0.25},{"name":"k","type":"categorical","choices":[true,1]},{"name":"d","type":"int","low":1,"high":64,"log":true,"when":{"param":"k","in":[1]}}"#
      ) == ["ok": true])
    let trials = try #require(try ask(#"{"op":"ask","study":"s","n":12}"#)["trials"]?.array)
    #expect(trials.compactMap { $0["id"]?.int } == Array(0..<12))
    for trial in trials {
      let params = try #require(trial["params"])
      #expect([0, 0.25, 0.5, 0.75, 1].contains(params["x"]?.double))
      // Only the number 1 has a child: true is not 1.
      #expect((params["d"] != nil) == (params["k"] == 1))
    }
    #expect(try ask(#"{"op":"best","study":"s"}"#)["best"] == [])
    #expect(try ask(#"{"op":"tell","study":"s","trial":1,"state":"complete","values":[2.5]}"#)["ok"] == true)
    #expect(
      try ask(#"{"op":"tell","study":"s","trial":2,"state":"complete","values":[-1e308]}"#)["ok"] == true)
    #expect(try ask(#"{"op":"tell","study":"s","trial":3,"state":"failed","values":[]}"#)["ok"] == true)
    #expect(try ask(#"{"op":"tell","study":"s","trial":4,"state":"complete","values":[NaN]}"#)["ok"] == true)
    #expect(try ask(#"{"op":"report","study":"s","trial":5,"step":1,"value":3}"#)["decision"] == "continue")
    let best = try #require(try ask(#"{"op":"best","study":"s"}"#)["best"]?.array)
    #expect(best.count == 1)
    #expect(best.first?["id"] == 2)
    #expect(best.first?["params"] == trials[2]["params"])
    #expect(best.first?["values"] == [-1e308])
    #expect(!program.isOver)
    #expect(try ask(#"{"op":"close","study":"s"}"#) == ["ok": true])
    #expect(try ask(#"{"op":"shutdown"}"#) == ["ok": true])
    #expect(program.isOver)
  }

  @Test mutating func aGridEnds() throws {
    _ = try create(#"{"name":"x","type":"int","low":0,"high":2}"#, #""algorithm":"grid""#)
    #expect(try ask(#"{"op":"ask","study":"s","n":9}"#)["trials"]?.array?.count == 3)
    let over = try ask(#"{"op":"ask","study":"s"}"#)
    #expect(over["error"] == "exhausted: All 3 points of the space have been tried.")
  }

  @Test mutating func algorithmsThatCannotBeDrivenAreNamed() throws {
    let x = #"{"name":"x","type":"float","low":0,"high":1}"#
    let pbt = try create(x, #""algorithm":"pbt""#)["error"]?.string ?? ""
    #expect(pbt.hasPrefix("'pbt' is for sweeps of files alone"))
    #expect(!pbt.contains(", pbt"))
    #expect(
      try create(x, #""algorithm":"cmase""#)["error"]?.string?.hasPrefix(
        "there is no algorithm 'cmase'; did you mean 'cmaes'? there are ") == true)
    #expect(
      try create(x, #""algorithm":"quantum""#)["error"]?.string?.hasPrefix(
        "there is no algorithm 'quantum': there are ") == true)
  }

  @Test mutating func whatCannotBeAnsweredIsSaid() throws {
    _ = try create(#"{"name":"x","type":"float","low":0,"high":1}"#)
    let faults = [
      ("{nonsense", "the line is no JSON"), (#"{"op":"dance"}"#, "there is no op 'dance'"),
      (#"{"op":"ask","study":"none"}"#, "there is no study 'none'"),
      (#"{"op":"ask","study":"s","n":0}"#, "'n' must"),
      (#"{"op":"tell","study":"s","trial":7,"values":[1]}"#, "trial 7 is not under way"),
      (#"{"op":"report","study":"s","trial":7,"step":1,"value":1}"#, "trial 7 is not under way"),
      (#"{"op":"load","study":"s","trials":[{"params":{"x":2},"values":[1]}]}"#, "does not lie in the space"),
      (#"{"op":"restore","study":"t","state":"{}"}"#, "'state.creation' is missing"),
    ]
    for (line, words) in faults {
      let answer = try ask(line)
      #expect(answer["ok"] == false)
      #expect(answer["error"]?.string?.contains(words) == true, "\(line): \(answer)")
    }
    let unknown = try create(#"{"name":"x","type":"float","low":0,"high":1}"#, #""algorithm":"randum""#)
    #expect(unknown["error"]?.string?.contains("did you mean 'random'?") == true)
    let grid = try create(#"{"name":"x","type":"float","low":0,"high":1}"#, #""algorithm":"grid""#)
    #expect(grid["error"]?.string?.hasPrefix("unsupported: ") == true)
    let odd = try create(#"{"name":"x","type":"float","low":1,"high":0}"#)
    #expect(odd["error"]?.string?.contains("must be less than max") == true)
    // The study from before lives on.
    #expect(try ask(#"{"op":"ask","study":"s"}"#)["ok"] == true)
    #expect(
      try ask(#"{"op":"tell","study":"s","trial":0,"values":[1,2]}"#)["error"]
        == "'values' must hold 1 of them, not 2")
  }

  @Test mutating func whatIsMaximisedIsToldAsItIs() throws {
    _ = try create(
      #"{"name":"x","type":"int","low":0,"high":100}"#,
      objectives: #","objectives":[{"name":"f","goal":"maximize"},{"name":"g"}],"constraints":[{"name":"c"}]"#
    )
    _ = try ask(#"{"op":"ask","study":"s","n":5}"#)
    for (trial, values, constraint) in [
      (0, "[1,1]", 0), (1, "[2,2]", -1), (2, "[0,2]", 0), (3, "[9,0]", 1), (4, "[1,1]", 0),
    ] {
      let answer = try ask(
        #"{"op":"tell","study":"s","trial":\#(trial),"values":\#(values),"constraints":[\#(constraint)]}"#)
      #expect(answer["ok"] == true)
    }
    // Most of f, least of g: 3 breaks the constraint, 0 and 4 are equal, 2 has less of f than 1.
    let best = try #require(try ask(#"{"op":"best","study":"s"}"#)["best"]?.array)
    #expect(best.compactMap { $0["id"]?.int } == [0, 1, 4])
    #expect(best.first?["values"] == [1.0, 1.0])
  }

  @Test mutating func aSnapshotGoesOnElsewhere() throws {
    _ = try create(
      #"{"name":"x","type":"float","low":0,"high":1},{"name":"k","type":"categorical","choices":["a","b"]},{"name":"y","type":"float","low":1,"high":9,"log":true,"when":{"param":"k","in":["a"]}}"#,
      #""algorithm":"asha","options":{"steps":27,"workers":2}"#)
    _ = try ask(#"{"op":"ask","study":"s","n":8}"#)
    for trial in 0..<8 {
      for step in 1...9 {
        _ = try ask(#"{"op":"report","study":"s","trial":\#(trial),"step":\#(step),"value":\#(10 - trial)}"#)
      }
      if trial < 6 { _ = try ask(#"{"op":"tell","study":"s","trial":\#(trial),"state":"pruned"}"#) }
    }
    let state = try #require(try ask(#"{"op":"snapshot","study":"s"}"#)["state"])
    var other = SearchProtocol()
    let restored = other.answer(JSONValue.object(["op": "restore", "study": "s", "state": state]).text)
    #expect(restored == #"{"ok":true}"#)
    for line in [
      #"{"op":"report","study":"s","trial":6,"step":10,"value":20}"#,
      #"{"op":"tell","study":"s","trial":6,"values":[20]}"#,
      #"{"op":"ask","study":"s","n":2}"#, #"{"op":"report","study":"s","trial":8,"step":1,"value":50}"#,
      #"{"op":"report","study":"s","trial":8,"step":3,"value":50}"#,
      #"{"op":"report","study":"s","trial":9,"step":9,"value":60}"#, #"{"op":"snapshot","study":"s"}"#,
    ] { #expect(other.answer(line) == program.answer(line)) }
  }
}
