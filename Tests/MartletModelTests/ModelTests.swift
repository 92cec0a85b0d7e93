// Nearest names, ids, states, problems, and the names of runs.

import MartletModel
import OrderedCollections
import Testing

@Suite struct NearestTests {
  @Test(arguments: [
    ("metod", "method"), ("mehtod", "method"), ("METHOD", "method"), ("paramters", "parameters"),
    ("metrc", "metric"),
    ("lr", nil), ("zzzz", nil), ("", nil),
  ])
  func suggests(typed: String, expected: String?) {
    #expect(nearest(to: typed, in: ["method", "metric", "parameters", "program"]) == expected)
  }

  @Test func noCandidates() { #expect(nearest(to: "a", in: [String]()) == nil) }

  /// Beside the distances of whole tables.
  @Test func `as plain distances have it`() {
    func distance(_ a: [Character], _ b: [Character]) -> Int {
      var rows = [Array(0...b.count)]
      for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
          var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
          if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
          row.append(least)
        }
        rows.append(row)
      }
      return rows[a.count][b.count]
    }
    var generator = Numbers(state: 5)
    func word() -> String {
      (0..<Int.random(in: 1...12, using: &generator))
        .map { _ in ["a", "b", "c", "é"].randomElement(using: &generator) ?? "" }.joined()
    }
    var found = 0
    for _ in 0..<400 {
      let typed = word()
      let names = Array(Set((0..<6).map { _ in word() })).sorted()
      let near = names.enumerated()
        .map { (place: $0, name: $1, distance: distance(Array(typed), Array($1))) }
        .filter { $0.distance <= max(1, max(typed.count, $0.name.count) / 3) }
        .sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }
      #expect(nearest(to: typed, in: names) == near.first?.name, "\(typed) in \(names)")
      #expect(nearest(3, to: typed, in: names + names) == near.prefix(3).map(\.name), "\(typed) in \(names)")
      found += near.count
    }
    #expect(found > 30)
  }

  /// Paths of a thousand bytes, thousands of them, are looked through for each key that is typed.
  @Test func `many long names`() {
    let long = String(repeating: "x", count: 1_000)
    let names = (0..<3_000).map { "\(long.prefix(150 + $0 % 850)).\($0)" }
    #expect(nearest(3, to: String(long.prefix(100)), in: names).isEmpty)
    #expect(nearest(to: "\(long.prefix(300)).15O", in: names) == "\(long.prefix(300)).150")
  }
}

@Suite struct PublicIDTests {
  @Test func eightCharactersOfTheAlphabet() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      let id = PublicID.random(using: &generator)
      #expect(PublicID(rawValue: id.rawValue) == id)
    }
    for wrong in ["", "abcdefg", "abcdefghi", "ABCDEFGH", "abc-efgh", "äbcdefg", "abcdef h"] {
      #expect(PublicID(rawValue: wrong) == nil)
    }
  }

  /// One pair among 10,000 is a matter of chance, once in some ten thousand tries; several are none.
  @Test func doNotRepeat() { #expect(Set((0..<10_000).map { _ in PublicID.random() }).count >= 9_998) }
}

@Suite struct StateTests {
  @Test func endsAreFinal() {
    for end in AttemptState.allCases where end.isEnd {
      for next in AttemptState.allCases { #expect(!end.mayBecome(next)) }
    }
  }

  @Test func theTableOfMoves() {
    let moves = AttemptState.allCases.reduce(into: [AttemptState: Set<AttemptState>]()) { moves, state in
      moves[state] = Set(AttemptState.allCases.filter { state.mayBecome($0) })
    }
    let ends: Set<AttemptState> = [.finished, .failed, .timedOut, .killed, .stopped, .preempted, .crashed]
    #expect(moves[.queued] == [.starting, .stopped, .failed, .preempted])
    #expect(moves[.starting] == ends.union([.running, .lost]))
    #expect(moves[.running] == ends.union([.lost]))
    #expect(moves[.lost] == ends.union([.running]))
  }

  @Test func everyStateReachesAnEnd() {
    var reached: Set<AttemptState> = [.queued]
    while true {
      let next = reached.union(AttemptState.allCases.filter { to in reached.contains { $0.mayBecome(to) } })
      if next == reached { break }
      reached = next
    }
    #expect(reached == Set(AttemptState.allCases))
  }
}

@Suite struct ProblemTests {
  @Test func survivesItsJSON() {
    let problem = Problem(.unprocessable, "no", hint: "do", details: ["line": 7, "nearest": nil])
    #expect(Problem(json: problem.json) == problem)
    #expect(Problem(json: Problem(.notFound, "no").json) == Problem(.notFound, "no"))
    #expect(Problem(json: ["error": ["code": "nonsense", "message": "x"]]) == nil)
    #expect(Problem.Code.unprocessable.status == 422)
  }
}

@Suite struct RunNamesTests {
  @Test func sameSeedAndNumberSameName() throws {
    let names = (0..<500).map { RunNames.name(seed: 9, number: $0) }
    #expect(names == (0..<500).map { RunNames.name(seed: 9, number: $0) })
    #expect(Set(names).count == 500)
    for (number, name) in names.enumerated() {
      #expect(name.wholeMatch(of: /[a-z]+-[a-z]+-[0-9]+/) != nil)
      #expect(name.hasSuffix("-\(number)"))
    }
    // Not one bird for all.
    #expect(Set(names.map { $0.split(separator: "-")[1] }).count > 80)
    #expect(RunNames.name(seed: 1, number: 3) != RunNames.name(seed: 2, number: 3))
  }

  @Test func freshNamesDiffer() {
    #expect(Set((0..<100).map { _ in RunNames.fresh() }).count > 95)
    #expect(RunNames.fresh(number: 12).hasSuffix("-12"))
  }
}

@Suite struct TokenSecretTests {
  @Test func secretsAreLongPlainAndNoOptions() {
    let secrets = (0..<2_000).map { _ in TokenSecret.random() }
    #expect(Set(secrets).count == secrets.count)
    for secret in secrets {
      #expect(secret.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_-]{42}/) != nil, "\(secret)")
    }
  }
}
