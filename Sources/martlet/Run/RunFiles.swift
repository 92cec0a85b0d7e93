// `martlet run files`: what a run saved, listed and fetched.

import ArgumentParser
import MartletModel

struct RunFiles: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "files",
    abstract: "List the files that a run saved, or fetch them.",
    discussion: """
      With --download the files are written below a directory under their own names.
      What lies there already is left as it is and said, unless --force is given.

      Examples:
        martlet run files swift-finch-3
        martlet run files swift-finch-3 --prefix checkpoints/ --download finch
        martlet run files swift-finch-3 --prefix diff.patch --download . --force
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Option(name: .long, help: "Only files whose names begin so.")
  var prefix: String?

  @Option(name: .long, help: ArgumentHelp("Write them below this directory.", valueName: "dir"))
  var download: String?

  @Flag(name: .long, help: "Replace files that are there already.")
  var force = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    if download?.isEmpty == true { throw ValidationError("--download is empty; name a directory, or '.'.") }
    if force, download == nil { throw ValidationError("--force is about --download.") }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let files = try await client.items("/runs/\(found.id)/files", query: [("prefix", prefix)])
    if let download {
      return try await FileFetching(client: client, run: found.id, directory: download, replaces: force)
        .fetch(files)
    }
    try Listing(items: files, fields: Self.fields, whenEmpty: "It has no such files.").print(format.format)
  }

  private static let fields = [
    Field("path", "Name"),
    Field("size", "Size", .bytes),
    Field("media_type", "Type", dispensability: 1),
    Field("created_at", "Saved", .time, dispensability: 2),
    Field("sha256", nil),
  ]
}
