// Runs edited: what changes is noted with who changed it.

import GRDB
package import MartletModel
import OrderedCollections

extension StoreWriter {
  /// Applies `patch` but for its state and its project, and notes what that changes of what a run is called, how it is
  /// sorted in, whether it is locked, and of its configuration, surroundings and model.
  ///
  /// - Throws: `Problem`: `notFound`, `unprocessable` for a parent that is nested in the run.
  package func editRun(_ id: PublicID, _ patch: RunPatch, by principal: Principal, now: Timestamp) throws {
    let row = try requireRunRow(id)
    guard
      let before = try Row.fetchOne(
        db, sql: "SELECT name, tags, notes, group_name, job_type, config FROM run WHERE id = ?",
        arguments: [row])
    else { return }
    var patch = patch.inNormalForm
    func note(_ type: String, _ payload: JSONValue) throws {
      try self.note(type, subject: "run", row: row, payload: payload, by: principal, at: now)
    }

    let tags = try before.strings("tags") ?? []
    patch.tags = Self.tags(tags, patch)
    if let new = patch.tags, new != tags {
      try note(
        "tagged",
        [
          "added": JSONValue(new.filter { !tags.contains($0) }),
          "removed": JSONValue(tags.filter { !new.contains($0) }),
        ])
    }
    let name: String = before["name"]
    if let new = patch.name, new != name {
      try note("renamed", ["from": .string(name), "to": .string(new)])
    }
    var edited: JSONObject = [:]
    for (member, column, new) in [
      ("notes", "notes", patch.notes), ("group", "group_name", patch.group),
      ("job_type", "job_type", patch.jobType),
    ] {
      let old: String? = before[column]
      guard let new, new != old ?? "" else { continue }
      edited[member] = ["from": Self.cut(old), "to": Self.cut(new)]
    }
    if !edited.isEmpty { try note("edited", .object(edited)) }
    if let config = patch.config?.object {
      let old = try before.json("config").object ?? [:]
      let keys = config.keys.filter { old[$0] != config[$0] }
      if !keys.isEmpty {
        try note(
          "configured", ["keys": JSONValue(Array(keys.prefix(100))), "count": .int(Int64(keys.count))])
      }
    }
    if let environment = patch.environment {
      let old = try self.environment(of: id).object ?? [:]
      let members = environment.members.filter { old[$0.key] != $0.value }.keys
      if !members.isEmpty { try note("environment", ["members": JSONValue(Array(members))]) }
    }
    if let new = patch.model, try model(of: id) != new {
      try note(
        "model",
        [
          "layers": .int(Int64(new.json["layers"]?.array?.count ?? 0)),
          "parameters": new.json["parameters"] ?? nil,
        ])
    }
    try setMark("archived", column: "archived_at", patch.isArchived, of: row, by: principal, now: now)
    try setMark("locked", column: "locked_at", patch.isLocked, of: row, by: principal, now: now)
    if let parent = patch.parent { try nest(row, id, in: parent, by: principal, now: now) }
    try patchRun(id, patch, now: now)
  }

  /// The tags that a patch leaves, each once; nil: it does not concern them.
  private static func tags(_ old: [String], _ patch: RunPatch) -> [String]? {
    if let tags = patch.tags { return unique(tags) }
    guard patch.addTags != nil || patch.removeTags != nil else { return nil }
    let removed = Set(patch.removeTags ?? [])
    return unique(old.filter { !removed.contains($0) } + (patch.addTags ?? []))
  }

  /// Each once, and no empty ones.
  static func unique(_ tags: [String]) -> [String] {
    var seen = Set<String>()
    return tags.filter { !$0.isEmpty && seen.insert($0).inserted }
  }

  /// Events stay small, however long the notes are.
  private static func cut(_ text: String?) -> JSONValue {
    guard let text else { return .null }
    return .string(text.count <= 200 ? text : "\(text.prefix(200))…")
  }

  private func setMark(
    _ word: String, column: String, _ isSet: Bool?, of row: Int64, by principal: Principal, now: Timestamp
  ) throws {
    guard let isSet else { return }
    try db.execute(
      sql: "UPDATE run SET \(column) = ? WHERE id = ? AND \(column) IS \(isSet ? "" : "NOT") NULL",
      arguments: [isSet ? now.microseconds : nil, row])
    guard db.changesCount > 0 else { return }
    try note(isSet ? word : "un\(word)", subject: "run", row: row, by: principal, at: now)
  }

  // MARK: - Nesting

  /// The run that this one is nested in, and those that are nested in it, at most a thousand: what they show of each other
  /// changes with it.
  package func relatives(of id: PublicID) throws -> [PublicID] {
    try String.fetchAll(
      db,
      sql: """
        SELECT parent.public_id FROM run JOIN run AS parent ON parent.id = run.parent_id
        WHERE run.public_id = ?1 AND parent.purge IS NULL
        UNION ALL
        SELECT child.public_id FROM run JOIN run AS child ON child.parent_id = run.id WHERE run.public_id = ?1
        LIMIT 1001
        """, arguments: [id.rawValue]
    ).compactMap(PublicID.init(rawValue:))
  }

  func nest(
    _ row: Int64, _ id: PublicID, in parent: PublicID?, by principal: Principal, now: Timestamp
  ) throws {
    var parentRow: Int64?
    if let parent {
      let found = try requireRunRow(parent)
      let isCircle = try Bool.fetchOne(
        db,
        sql: """
          WITH RECURSIVE above(id) AS (
            SELECT ?1 UNION SELECT run.parent_id FROM run JOIN above ON run.id = above.id
            WHERE run.parent_id IS NOT NULL AND run.purge IS NULL)
          SELECT EXISTS (SELECT 1 FROM above WHERE id = ?2)
          """, arguments: [found, row])
      guard isCircle == false else {
        let words =
          parent == id
          ? "cannot be nested in itself" : "cannot be nested in '\(parent)', which is nested in it"
        throw Problem(
          .unprocessable, "Run '\(id)' \(words).",
          hint: "Take the other one out of it first, with parent null.")
      }
      let isNear = try Bool.fetchOne(
        db,
        sql: "SELECT (SELECT project_id FROM run WHERE id = ?) = (SELECT project_id FROM run WHERE id = ?)",
        arguments: [row, found])
      guard isNear == true else {
        throw Problem(
          .unprocessable, "Run '\(id)' cannot be nested in '\(parent)', which is in another project.",
          hint: "Move one of them first.")
      }
      parentRow = found
    }
    let old = try String.fetchOne(
      db,
      sql:
        "SELECT parent.public_id FROM run JOIN run AS parent ON parent.id = run.parent_id WHERE run.id = ?",
      arguments: [row])
    guard old != parent?.rawValue else { return }
    try db.execute(sql: "UPDATE run SET parent_id = ? WHERE id = ?", arguments: [parentRow, row])
    try note(
      "nested", subject: "run", row: row,
      payload: ["from": JSONValue(old), "to": JSONValue(parent?.rawValue)],
      by: principal, at: now)
  }

  /// What was nested in a run that goes for ever is nested in none. True: there may be more of it.
  func setChildrenFree(of row: Int64, by principal: Principal, now: Timestamp) throws -> Bool {
    let children = try Row.fetchAll(
      db, sql: "SELECT id, public_id FROM run WHERE parent_id = ? LIMIT ?",
      arguments: [row, Self.purgedAtOnce])
    guard !children.isEmpty else { return false }
    let parent = try String.fetchOne(db, sql: "SELECT public_id FROM run WHERE id = ?", arguments: [row])
    for child in children {
      let one: Int64 = child["id"]
      try db.executeCached(sql: "UPDATE run SET parent_id = NULL WHERE id = ?", arguments: [one])
      try note(
        "nested", subject: "run", row: one, payload: ["from": JSONValue(parent), "to": nil], by: principal,
        at: now)
      if let id = PublicID(rawValue: child["public_id"]) { freedRuns.append(id) }
    }
    return children.count == Self.purgedAtOnce
  }
}
