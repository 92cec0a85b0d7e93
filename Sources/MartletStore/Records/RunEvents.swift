// The account of a run or a sweep: what happened to it, when, and by whom.

import GRDB
package import MartletModel

extension StoreReader {
  /// A page of a run's events, oldest first.
  package func events(of run: PublicID, _ page: PageRequest) throws -> Page<RunEvent> {
    try events("run", try requireRunRow(run), page)
  }

  /// A page of a sweep's events, oldest first; those of its trials' states are among them.
  package func events(ofSweep sweep: PublicID, _ page: PageRequest) throws -> Page<RunEvent> {
    try events("sweep", try requireSweepRow(sweep), page)
  }

  private func events(_ subject: String, _ subjectRow: Int64, _ page: PageRequest) throws -> Page<RunEvent> {
    let after = try Cursor.last(page.cursor) ?? 0
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT event.id, event.at, event.type, event.payload, principal.name AS creator_name
        FROM event JOIN principal ON principal.id = event.principal_id
        WHERE event.subject = ? AND event.subject_id = ? AND event.id > ? ORDER BY event.id LIMIT ?
        """, arguments: [subject, subjectRow, after, page.limit + 1])
    let kept = try rows.prefix(page.limit).map { row in
      RunEvent(
        at: Timestamp(microseconds: row["at"]), type: row["type"], by: row["creator_name"],
        payload: try row.json("payload"))
    }
    let last = rows.count > page.limit ? rows[page.limit - 1]["id"] as Int64? : nil
    return Page(items: kept, next: last.map { "r\($0)" })
  }
}
