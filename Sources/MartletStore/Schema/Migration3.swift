// The schema of version 3: what filters, sorts and groups read: config values by path, tags, best values.

import Foundation
import GRDB
import MartletModel

/// Tables of version 3.
enum Migration3 {
  static let name = "3"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: values)
    try db.execute(sql: best)
    try db.execute(sql: runs)
    try fill(db)
    // After the rows: an index is sorted once instead of being searched for each.
    try db.execute(sql: "CREATE INDEX config_value_by_value ON config_value(key_id, value)")
    try db.execute(sql: counts)
    try db.execute(sql: triggers)
  }

  /// `config_key.space`: 0 the configuration's dotted paths, 1 names of values that were set in the summary.
  ///
  /// `config_value.value` is so that SQLite's own order is the filter language's: a number or a text is itself (a list is
  /// its JSON), NULL is NaN, a blob of one byte is false (0), true (1) or null (3).
  private static let values = """
    CREATE TABLE config_key (
      id INTEGER PRIMARY KEY,
      space INTEGER NOT NULL,
      path TEXT NOT NULL,
      UNIQUE (space, path));

    CREATE TABLE config_value (
      run_id INTEGER NOT NULL REFERENCES run(id),
      key_id INTEGER NOT NULL REFERENCES config_key(id),
      value,
      PRIMARY KEY (run_id, key_id)) WITHOUT ROWID;

    CREATE TABLE run_tag (
      run_id INTEGER NOT NULL,
      tag TEXT NOT NULL,
      PRIMARY KEY (run_id, tag)) WITHOUT ROWID;
    CREATE INDEX run_tag_by_tag ON run_tag(tag);
    """

  /// The minimum or maximum, by the goal that counts for the metric in its run; NULL without a goal.
  private static let best = """
    ALTER TABLE metric_summary ADD COLUMN best REAL;
    UPDATE metric_summary SET best = (
      SELECT CASE coalesce(
          (SELECT goal FROM (
            SELECT d.goal AS goal, d.name = k.name AS is_own, length(CAST(d.name AS BLOB)) AS size
            FROM metric_definition d WHERE d.run_id = metric_summary.run_id AND (d.name = k.name
              OR substr(d.name, -1) = '*' AND substr(k.name, 1, length(d.name) - 1) = substr(d.name, 1, length(d.name) - 1)))
            ORDER BY is_own DESC, size DESC LIMIT 1),
          (SELECT goal FROM sweep JOIN run ON run.sweep_id = sweep.id
            WHERE run.id = metric_summary.run_id AND sweep.metric = k.name))
        WHEN 'minimize' THEN metric_summary.min WHEN 'maximize' THEN metric_summary.max END
      FROM metric_key k WHERE k.id = metric_summary.key_id)
    WHERE run_id IN (SELECT run_id FROM metric_definition WHERE goal IS NOT NULL)
      OR run_id IN (SELECT id FROM run WHERE sweep_id IS NOT NULL);
    CREATE INDEX metric_summary_best ON metric_summary(key_id, best) WHERE best IS NOT NULL;
    """

  /// Orders of a project's runs. None of these columns changes when points come.
  private static let runs = """
    CREATE INDEX run_by_name ON run(project_id, name);
    CREATE INDEX run_by_state ON run(project_id, state, deleted_at);
    CREATE INDEX run_by_start ON run(project_id, started_at, ended_at, deleted_at);
    CREATE INDEX run_by_end ON run(project_id, ended_at);
    CREATE INDEX run_by_group ON run(project_id, group_name) WHERE group_name IS NOT NULL;
    """

  /// In how many runs of a project a name is, trash included.
  private static let counts = """
    CREATE TABLE project_config (
      project_id INTEGER NOT NULL REFERENCES project(id),
      key_id INTEGER NOT NULL REFERENCES config_key(id),
      runs INTEGER NOT NULL,
      PRIMARY KEY (project_id, key_id)) WITHOUT ROWID;
    INSERT INTO project_config SELECT project_id, key_id, count(*)
      FROM config_value JOIN run ON run.id = run_id GROUP BY project_id, key_id;
    CREATE INDEX project_config_by_key ON project_config(key_id);

    CREATE TABLE project_metric (
      project_id INTEGER NOT NULL REFERENCES project(id),
      key_id INTEGER NOT NULL REFERENCES metric_key(id),
      runs INTEGER NOT NULL,
      PRIMARY KEY (project_id, key_id)) WITHOUT ROWID;
    INSERT INTO project_metric SELECT project_id, key_id, count(*)
      FROM metric_summary JOIN run ON run.id = run_id GROUP BY project_id, key_id;
    CREATE INDEX project_metric_by_key ON project_metric(key_id);
    """

  /// Whoever writes tags, summaries or a run's project keeps these tables true.
  private static let triggers =
    """
    CREATE TRIGGER run_tags_added AFTER INSERT ON run WHEN new.tags != '[]' BEGIN
      INSERT OR IGNORE INTO run_tag SELECT new.id, value FROM json_each(new.tags) WHERE type = 'text';
    END;
    CREATE TRIGGER run_tags_changed AFTER UPDATE OF tags ON run WHEN new.tags != old.tags BEGIN
      DELETE FROM run_tag WHERE run_id = new.id;
      INSERT OR IGNORE INTO run_tag SELECT new.id, value FROM json_each(new.tags) WHERE type = 'text';
    END;
    CREATE TRIGGER run_tags_removed AFTER DELETE ON run BEGIN
      DELETE FROM run_tag WHERE run_id = old.id;
    END;

    """ + countTriggers("config_value", "project_config") + countTriggers("metric_summary", "project_metric")

  private static func countTriggers(_ table: String, _ counts: String) -> String {
    """
    CREATE TRIGGER \(table)_added AFTER INSERT ON \(table) BEGIN
      INSERT INTO \(counts) SELECT project_id, new.key_id, 1 FROM run WHERE id = new.run_id
        ON CONFLICT DO UPDATE SET runs = runs + 1;
    END;
    CREATE TRIGGER \(table)_removed AFTER DELETE ON \(table) BEGIN
      UPDATE \(counts) SET runs = runs - 1
        WHERE project_id = (SELECT project_id FROM run WHERE id = old.run_id) AND key_id = old.key_id;
      DELETE FROM \(counts)
        WHERE project_id = (SELECT project_id FROM run WHERE id = old.run_id) AND key_id = old.key_id AND runs <= 0;
    END;
    CREATE TRIGGER \(table)_moved AFTER UPDATE OF project_id ON run WHEN new.project_id != old.project_id BEGIN
      UPDATE \(counts) SET runs = runs - 1
        WHERE project_id = old.project_id AND key_id IN (SELECT key_id FROM \(table) WHERE run_id = new.id);
      DELETE FROM \(counts) WHERE project_id = old.project_id AND runs <= 0;
      INSERT INTO \(counts) SELECT new.project_id, key_id, 1 FROM \(table) WHERE run_id = new.id
        ON CONFLICT DO UPDATE SET runs = runs + 1;
    END;

    """
  }

  /// Values of the runs that there are.
  private static func fill(_ db: Database) throws {
    try db.execute(
      sql: """
        INSERT OR IGNORE INTO run_tag SELECT run.id, j.value FROM run, json_each(run.tags) j WHERE j.type = 'text'
        """)
    var keys: [String: Int64] = [:]
    func key(_ space: Int64, _ path: String) throws -> Int64 {
      let known = keys["\(space) \(path)"]
      if let known { return known }
      try db.execute(
        sql: "INSERT OR IGNORE INTO config_key (space, path) VALUES (?, ?)", arguments: [space, path])
      let id = try Int64.fetchOne(
        db, sql: "SELECT id FROM config_key WHERE space = ? AND path = ?", arguments: [space, path])
      keys["\(space) \(path)"] = id
      return id ?? 0
    }
    let insert = try db.makeStatement(
      sql: "INSERT OR IGNORE INTO config_value (run_id, key_id, value) VALUES (?, ?, ?)")
    let configs = try Row.fetchCursor(
      db, sql: "SELECT id, config FROM run WHERE purge IS NULL AND config != '{}'")
    while let row = try configs.next() {
      let run: Int64 = row["id"]
      for (path, value) in ConfigLeaves.leaves(of: try row.json("config")) {
        try insert.execute(arguments: [run, try key(0, path), value.stored])
      }
    }
    let set = try Row.fetchCursor(db, sql: "SELECT run_id, name, value FROM summary_value")
    while let row = try set.next() {
      let name: String = row["name"]
      try insert.execute(
        arguments: [
          row["run_id"] as Int64, try key(1, name), ConfigLeaves.scalar(try row.json("value")).stored,
        ])
    }
  }
}

extension FilterScalar {
  /// As `config_value.value` has it.
  var stored: DatabaseValue {
    switch self {
    case .notANumber: .null
    case .number(.int(let number)): number.databaseValue
    case .number(.double(let number)): number.databaseValue
    case .text(let text): text.databaseValue
    case .bool(let flag): Data([flag ? 1 : 0]).databaseValue
    case .null: Data([3]).databaseValue
    }
  }

  init(stored value: DatabaseValue) {
    switch value.storage {
    case .null: self = .notANumber
    case .int64(let number): self = .number(.int(number))
    case .double(let number): self = number.isNaN ? .notANumber : .number(.double(number))
    case .string(let text): self = .text(text)
    case .blob(let data): self = data.first.map { $0 == 3 ? .null : .bool($0 == 1) } ?? .null
    }
  }
}
