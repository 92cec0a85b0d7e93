// What a client calls a run by a name of its own.

import GRDB
package import MartletModel

extension StoreReader {
  /// The run that a client calls so in a project; nil: none, or it was purged.
  ///
  /// - Parameter project: name or id.
  package func run(alias text: String, inProject project: String) throws -> PublicID? {
    guard let scope = try projectScope(project) else { return nil }
    return try String.fetchOne(
      db,
      sql: """
        SELECT run.public_id FROM alias JOIN run ON run.id = alias.row_id
        WHERE alias.kind = 'run' AND alias.scope = ? AND alias.text = ? AND run.purge IS NULL
        """, arguments: [scope, text.inNormalForm]
    ).flatMap(PublicID.init(rawValue:))
  }

  private func projectScope(_ project: String) throws -> String? {
    guard let row = try projectRowID(project) else { return nil }
    return try String.fetchOne(db, sql: "SELECT public_id FROM project WHERE id = ?", arguments: [row])
  }
}

extension StoreWriter {
  /// Lets a client call a run so, in the run's project; what was called so before is called so no more.
  package func setAlias(_ text: String, ofRun id: PublicID) throws {
    try db.execute(
      sql: """
        INSERT INTO alias (kind, scope, text, row_id)
        SELECT 'run', project.public_id, ?, run.id FROM run JOIN project ON project.id = run.project_id
        WHERE run.id = ?
        ON CONFLICT (kind, scope, text) DO UPDATE SET row_id = excluded.row_id
        """, arguments: [text.inNormalForm, try requireRunRow(id)])
  }
}
