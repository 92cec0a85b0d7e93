// `backup.json`: what a backup is a copy of, and when.

import Foundation
import MartletModel
import MartletServer
import MartletStore

struct BackupRecord {
  static let fileName = "backup.json"
  private static let format: Int64 = 1

  var version = martletVersion
  /// Microseconds since 1970: when the database was copied.
  var time: Int64
  /// The data directory that was copied.
  var source: String
  var databaseBytes: Int64
  /// SHA-256, in hexadecimal digits.
  var databaseHash: String
  var schema: Int
  var projects: Int
  var runs: Int
  var points: Int64
  var blobs: Int
  var blobBytes: Int64
  /// All files but the database.
  var files: Int
  var fileBytes: Int64
  /// Files that runs refer to and that were not there.
  var missingBlobs: Int

  var json: JSONValue {
    [
      "format": .int(Self.format), "martlet": .string(version), "created_at": .int(time),
      "source": .string(source),
      "database": [
        "bytes": .int(databaseBytes), "sha256": .string(databaseHash), "schema": JSONValue(schema),
      ],
      "projects": JSONValue(projects), "runs": JSONValue(runs), "points": .int(points),
      "blobs": ["count": JSONValue(blobs), "bytes": .int(blobBytes), "missing": JSONValue(missingBlobs)],
      "files": ["count": JSONValue(files), "bytes": .int(fileBytes)],
    ]
  }

  /// - Returns: nil when it is none, or of a later format.
  init?(json: JSONValue) {
    guard json["format"]?.int == Self.format, let time = json["created_at"]?.int,
      let database = json["database"], let hash = database["sha256"]?.string,
      let bytes = database["bytes"]?.int
    else { return nil }
    func number(_ value: JSONValue?) -> Int { Int(value?.int ?? 0) }
    (self.time, databaseHash, databaseBytes) = (time, hash, bytes)
    version = json["martlet"]?.string ?? ""
    source = json["source"]?.string ?? ""
    schema = number(database["schema"])
    (projects, runs, points) = (number(json["projects"]), number(json["runs"]), json["points"]?.int ?? 0)
    (blobs, missingBlobs) = (number(json["blobs"]?["count"]), number(json["blobs"]?["missing"]))
    blobBytes = json["blobs"]?["bytes"]?.int ?? 0
    (files, fileBytes) = (number(json["files"]?["count"]), json["files"]?["bytes"]?.int ?? 0)
  }

  init(source: String, time: Int64, facts: StoreInspection.Facts) {
    (self.source, self.time) = (source, time)
    (databaseBytes, databaseHash, schema) = (0, "", facts.version)
    (projects, runs, points) = (facts.projects, facts.runs, facts.points)
    (blobs, blobBytes, missingBlobs) = (facts.blobs, facts.blobBytes, 0)
    (files, fileBytes) = (0, 0)
  }

  var missingCheck: Check {
    Check(
      "blobs", .error,
      "\(Words.count(Int64(missingBlobs), "logged file")) of the database not there to be copied.")
  }

  static let fields = [
    Field("path", nil),
    Field("martlet", nil),
    Field("created_at", nil, .time),
    Field("source", nil),
    Field("database_bytes", nil, .bytes) { $0["database"]?["bytes"] },
    Field("database_sha256", nil) { $0["database"]?["sha256"] },
    Field("runs", nil, .number),
    Field("points", nil, .number),
    Field("blobs", nil, .number) { $0["blobs"]?["count"] },
    Field("files", nil, .number) { $0["files"]?["count"] },
    Field("file_bytes", nil, .bytes) { $0["files"]?["bytes"] },
    Field("verified", nil),
  ]
}
