// A filter that is being written: what is wrong in it, and what could come next.

import GRDB
package import MartletModel

extension StoreReader {
  private static let suggestionLimit = 50

  /// Looks at a filter; what is wrong in it is part of the answer.
  ///
  /// - Parameters:
  ///   - offset: where the cursor stands, in UTF-16 code units; nil: at the end.
  ///   - only: the one run that the asker may see.
  /// - Throws: `Problem.notFound` for a project that is not there.
  package func advice(
    on text: String, project name: String?, at offset: Int?, only: PublicID?, now: Timestamp
  ) throws -> FilterAdvice {
    try limited {
      let project = try name.map { try requireProject($0) }
      let catalog = StoreCatalog(reader: self, project: project)
      var advice = FilterAdvice()
      do {
        let parsed = try ParsedFilter(text)
        (advice.canonical, advice.clauses) = (parsed.expression.description, parsed.clauses)
        _ = try FilterResolver(catalog: catalog, now: now).resolve(parsed.expression)
      } catch let error as FilterError {
        advice.error = error
      }
      let context = FilterContext(of: text, at: offset ?? text.utf16.count)
      let resolver = FilterResolver(catalog: catalog, now: now)
      switch context {
      case .none: break
      case .field(let prefix, let range):
        advice.range = range
        advice.suggestions = try fieldSuggestions(prefix, project, catalog)
      case .comparison(let field, let prefix, let range):
        advice.range = range
        advice.suggestions = Self.comparisons(of: try? resolver.subject(of: field)).filter {
          $0.text.hasPrefix(prefix)
        }
      case .value(let field, let prefix, let range, _):
        advice.range = range
        guard let subject = try? resolver.subject(of: field) else { break }
        advice.suggestions = try values(of: subject, prefix, project, only, now)
      }
      return advice
    }
  }

  // MARK: - Fields

  private func fieldSuggestions(
    _ prefix: String, _ project: Int64?, _ catalog: StoreCatalog
  ) throws -> [FilterSuggestion] {
    let typed = prefix.filter { $0 != "`" }.lowercased()
    func isMeant(_ name: String) -> Bool { typed.isEmpty || name.lowercased().contains(typed) }
    func startsWithIt(_ suggestion: FilterSuggestion) -> Bool {
      suggestion.text.filter { $0 != "`" }.lowercased().hasPrefix(typed)
    }
    var found = FilterAttribute.allCases.filter { isMeant($0.rawValue) }
      .map { FilterSuggestion($0.rawValue, .field, $0.summary) }
    found += try metricSuggestions(typed, project, isMeant)
    found += try configSuggestions(project, catalog, isMeant)
    found += ["not", "and", "or"].filter { !typed.isEmpty && $0.hasPrefix(typed) }
      .map { FilterSuggestion($0, .word, "") }
    return Array(
      (found.filter(startsWithIt) + found.filter { !startsWithIt($0) }).prefix(Self.suggestionLimit))
  }

  private func metricSuggestions(
    _ typed: String, _ project: Int64?, _ isMeant: (String) -> Bool
  ) throws -> [FilterSuggestion] {
    let scope: SQL = project.map { "project_id = \($0)" } ?? "1"
    let logged = try SQLRequest<Row>(
      literal: """
        SELECT metric_key.name AS name, sum(runs) AS runs FROM project_metric JOIN metric_key ON metric_key.id = key_id
        WHERE \(scope) GROUP BY key_id ORDER BY sum(runs) DESC LIMIT 5000
        """
    ).fetchAll(db)
    let derived = try SQLRequest<Row>(
      literal: "SELECT name, expression FROM derived_metric WHERE \(scope) ORDER BY name LIMIT 1000"
    ).fetchAll(db)
    var names = logged.map { (name: $0["name"] as String, detail: "metric of \($0["runs"] as Int) runs") }
    names += derived.map { (name: $0["name"] as String, detail: "derived: \($0["expression"] as String)") }
    return names.flatMap { name, detail in
      // Behind the name and a dot its aggregates are meant.
      if typed.hasPrefix(name.lowercased() + ".") {
        return FilterAggregate.named.map { aggregate in
          FilterSuggestion(FilterField.metric(name, aggregate).text, .field, detail)
        }
      }
      return isMeant(name) ? [FilterSuggestion(FilterField.metric(name).text, .field, detail)] : []
    }
  }

  private func configSuggestions(
    _ project: Int64?, _ catalog: StoreCatalog, _ isMeant: (String) -> Bool
  ) throws -> [FilterSuggestion] {
    let scope: SQL = project.map { "project_id = \($0)" } ?? "1"
    let rows = try SQLRequest<Row>(
      literal: """
        SELECT path, space, sum(runs) AS runs FROM project_config JOIN config_key ON config_key.id = key_id
        WHERE \(scope) GROUP BY key_id ORDER BY sum(runs) DESC LIMIT 5000
        """
    ).fetchAll(db)
    return try rows.filter { isMeant($0["path"]) || isMeant("config.\($0["path"] as String)") }
      .prefix(Self.suggestionLimit)
      .map { row in
        let path: String = row["path"]
        let detail = "of \(row["runs"] as Int) runs"
        guard row["space"] == ConfigSpace.config.rawValue else {
          return FilterSuggestion(FilterField.summary(path).text, .field, "set in the summary \(detail)")
        }
        let isAlone = try !catalog.hasMetric(path) && !catalog.hasDerived(path)
        return FilterSuggestion(
          FilterField.config(path, isAlone: isAlone).text, .field, "configuration \(detail)")
      }
  }

  // MARK: - Operators

  private static func comparisons(of subject: FilterSubject?) -> [FilterSuggestion] {
    var known: [(String, String)] = []
    switch subject {
    case .attribute(let attribute) where [.state, .texts, .numbers].contains(attribute.kind):
      known = [(":", "is"), ("!=", "is not"), ("in", "is one of (a, b)")]
    case .attribute(let attribute) where attribute.kind == .text:
      known = [
        (":", "is"), ("~", "matches"), ("!~", "does not match"), ("!=", "is not"), ("in", "is one of (a, b)"),
      ]
    default:
      known = [
        ("<", "below"), ("<=", "at most"), (">", "above"), (">=", "at least"), ("=", "is"), ("!=", "is not"),
        ("in", "is one of (a, b)"),
      ]
    }
    if case .config? = subject { known.append(("~", "matches")) }
    return known.map { FilterSuggestion($0.0, .operator, $0.1) } + [
      FilterSuggestion("exists", .word, "the run has it")
    ]
  }

  // MARK: - Values

  private func values(
    of subject: FilterSubject, _ prefix: String, _ project: Int64?, _ only: PublicID?, _ now: Timestamp
  ) throws -> [FilterSuggestion] {
    let isMine: SQL = only.map { "run.public_id = \($0.rawValue)" } ?? "1"
    let sample: SQL = "(\(try newest(project))) picked CROSS JOIN run ON run.id = picked.id AND \(isMine)"
    let request: SQL
    switch subject {
    case .metric, .derived, .attribute(.duration), .attribute(.flow): return []
    case .attribute(.created), .attribute(.started), .attribute(.ended):
      return [("-1h", "an hour ago"), ("-1d", "a day ago"), ("-7d", "a week ago"), ("-30d", "30 days ago")]
        .filter { $0.0.hasPrefix(prefix) }.map { FilterSuggestion($0.0, .value, $0.1) }
    case .attribute(.state):
      return RunState.allCases.map(\.rawValue).filter { $0.lowercased().contains(prefix.lowercased()) }
        .map { FilterSuggestion($0, .value, "") }
    case .attribute(.tag):
      request =
        "SELECT tag AS v, count(*) AS n FROM \(sample) CROSS JOIN run_tag t ON t.run_id = run.id GROUP BY tag"
    case .attribute(.device):
      request = """
        SELECT j.value AS v, count(*) AS n FROM \(sample) CROSS JOIN attempt ON attempt.run_id = run.id,
          json_each(attempt.devices) j GROUP BY j.value
        """
    case .attribute(let attribute):
      let value = FilterSQL.value(of: attribute, now: now)
      request = "SELECT \(value) AS v, count(*) AS n FROM \(sample) WHERE \(value) IS NOT NULL GROUP BY 1"
    case .config, .summary:
      let source = try FilterSQL(reader: self, project: project, now: now).source(of: subject)
      guard let source else { return [] }
      request = """
        SELECT s.value AS v, count(*) AS n FROM \(sample) CROSS JOIN config_value s ON s.run_id = run.id AND \(source.keys)
        GROUP BY s.value
        """
    }
    let rows = try SQLRequest<Row>(literal: "\(request) ORDER BY n DESC, v LIMIT 2000").fetchAll(db)
    let typed = prefix.lowercased()
    return rows.compactMap { row -> FilterSuggestion? in
      let value = FilterScalar(stored: row[0])
      let count: Int = row["n"]
      let text = Self.text(of: value, subject)
      let isMeant = text.filter { $0 != "\"" }.lowercased().contains(typed)
      return isMeant ? FilterSuggestion(text, .value, "\(count) \(count == 1 ? "run" : "runs")") : nil
    }.prefix(Self.suggestionLimit).map { $0 }
  }

  private static func text(of value: FilterScalar, _ subject: FilterSubject) -> String {
    // Attributes take a word as text, whatever it looks like.
    if case .attribute = subject, case .text(let text) = value, FilterField(text) != nil { return text }
    return FilterLiteral.exactly(value).source
  }

  private func newest(_ project: Int64?) throws -> SQL {
    let scope: SQL = project.map { "project_id = \($0)" } ?? "1"
    return
      "SELECT id FROM run WHERE \(scope) AND deleted_at IS NULL ORDER BY id DESC LIMIT \(Self.sampledRuns)"
  }
}
