// Questions and whom they may be about.

import MartletModel
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@Suite struct QuestionTests {
  /// Whoever is bound to a run is bound to its project, also where the token does not say so: names of others are no hints.
  @Test func `bound to a run alone`() async throws {
    let bench = try await Bench()
    let own = try await bench.create("own", in: "digits")
    _ = try await bench.create("beside", in: "digits")
    let other = try await bench.create("other", in: "letters")
    for (run, name) in [(own, "rate"), (other, "secret-rate")] {
      var patch = RunPatch()
      patch.config = .object([name: 1])
      _ = try await bench.tracking.patchRun(run, patch, access: bench.access)
    }
    let access = bench.bound([.read], run: own)
    #expect(try await bench.tracking.countRuns(RunQuery(), access: access).total == 1)
    for project in ["letters", "lettres", "nothing"] {
      let refused = try await problem(.notFound) {
        _ = try await bench.tracking.countRuns(RunQuery(project: project), access: access)
      }
      #expect(refused.hint == nil, "\(refused)")
    }
    func hint(_ text: String) async throws -> String {
      var query = RunQuery(order: try #require(RunQuery.Order(text)))
      let sorted = try await problem(.badRequest) {
        _ = try await bench.tracking.runs(query, PageRequest(), access: access)
      }
      query = RunQuery()
      query.filter = try ParsedFilter("\(text) exists").expression
      let asked = query
      let filtered = try await problem(.badRequest) {
        _ = try await bench.tracking.runs(asked, PageRequest(), access: access)
      }
      let grouping = RunGrouping(by: [try #require(FilterField(text))])
      let grouped = try await problem(.badRequest) {
        _ = try await bench.tracking.groups(RunQuery(), grouping, PageRequest(), access: access)
      }
      return "\(sorted) \(filtered) \(grouped)"
    }
    #expect(try await !hint("secret-rat").contains("secret-rate'"))
    #expect(try await hint("rat").contains("'rate'"))
    let all = try await bench.tracking.fields(project: nil, search: nil, limit: 100, access: access)
    #expect(all.config.map(\.name) == ["rate"])
  }
}
