// The pure parts: how a table is fitted, how numbers, times and commands are written, which server is meant.

import MartletModel
import Testing

@testable import martlet

@Suite("tables and words")
struct TableTests {
  private let table = Table(
    columns: [
      .init(title: "#", isNumber: true), .init(title: "Run"),
      .init(title: "lr", isNumber: true, dispensability: 1),
      .init(title: "width", isNumber: true, dispensability: 2), .init(title: "Reason", dispensability: 9),
    ],
    rows: [
      [
        Cell("1"), Cell("swift-finch-12"), Cell("0.001"), Cell("128"),
        Cell("a long reason that nobody reads"),
      ],
      [Cell("12"), Cell("北京"), Cell("0.1"), Cell("64"), Cell("")],
    ])

  @Test("numbers stand right, wide characters take two columns, nothing trails")
  func layout() {
    #expect(
      table.lines(width: nil, isColored: false) == [
        " #  Run                lr  width  Reason",
        " 1  swift-finch-12  0.001    128  a long reason that nobody reads",
        "12  北京              0.1     64",
      ])
  }

  @Test("it never gets wider than the terminal, and says what is missing", arguments: 8...80)
  func fits(width: Int) {
    let lines = table.lines(width: width, isColored: false)
    let widest = lines.dropLast(lines.count - 3).map(Table.width).max() ?? 0
    // Twelve characters of a name and its number always stay.
    #expect(widest <= max(width, 16))
    let isWhole = ["lr", "width", "Reason"].allSatisfy { lines[0].contains($0) }
    #expect(lines.count == (isWhole ? 3 : 4))
  }

  @Test("the most dispensable columns go first; names stay whole as long as they can")
  func order() {
    let lines = table.lines(width: 32, isColored: false)
    #expect(lines[0] == " #  Run                lr  width")
    #expect(lines.last == "1 more column: --format csv shows all")
    #expect(table.lines(width: 18, isColored: false)[1] == " 1  swift-finch-12")
    #expect(table.lines(width: 17, isColored: false)[1] == " 1  swift-finch-…")
  }

  @Test("colours take no room")
  func colours() {
    let table = Table(
      columns: [.init(title: "State"), .init(title: "n", isNumber: true)],
      rows: [[Cell("failed", style: .bad), Cell("1")]])
    let plain = table.lines(width: nil, isColored: false)
    #expect(
      table.lines(width: nil, isColored: true).map { $0.replacing(/\u{1B}\[[0-9]*m/, with: "") } == plain)
  }

  @Test("CSV quotes what needs it (RFC 4180)")
  func csv() {
    let item: JSONValue = ["a": "x,y", "b": "say \"hi\"", "c": 0.1, "d": nil, "e": 1_500_000]
    let fields = [Field("a", "A"), Field("b", "B"), Field("c", "C"), Field("d", "D"), Field("e", "E", .time)]
    let listing = Listing(items: [item], fields: fields, whenEmpty: "")
    #expect(listing.csv == "a,b,c,d,e\n\"x,y\",\"say \"\"hi\"\"\",0.1,,1970-01-01T00:00:01.500Z\n")
  }

  @Test("numbers in few characters")
  func numbers() {
    #expect(Words.number(0.123_456_789) == "0.12346")
    #expect(Words.number(3) == "3")
    #expect(Words.number(1e-7) == "1e-07")
    #expect(Words.number(.nan) == "NaN")
    #expect(Words.number(-.infinity) == "-Inf")
    #expect(Words.number(.greatestFiniteMagnitude) == "1.7977e+308")
    #expect(Words.duration(0.25) == "0.25 s")
    #expect(Words.duration(190) == "3 min 10 s")
    #expect(Words.bytes(999) == "999 B")
    #expect(Words.bytes(1_400_000_000) == "1.4 GB")
  }

  @Test("time spans", arguments: [("90s", 90), ("30m", 1800), ("12h", 43_200), ("1d", 86_400), ("5", 5)])
  func spans(text: String, seconds: Double) {
    #expect(Words.seconds(text) == seconds)
  }

  @Test("what is no time span", arguments: ["", "s", "-1d", "0", "soon", "1y", "nan", "inf"])
  func noSpans(text: String) {
    #expect(Words.seconds(text) == nil)
  }

  @Test("commands as a shell takes them")
  func commands() {
    #expect(Words.command(["python", "train.py", "--lr=0.1"]) == "python train.py --lr=0.1")
    #expect(Words.command(["sh", "-c", "echo 'a b'", ""]) == #"sh -c 'echo '\''a b'\''' ''"#)
  }

  @Test(
    "the last lines of a text",
    arguments: [(0, ""), (1, "c\n"), (2, "b\nc\n"), (3, "a\nb\nc\n"), (9, "a\nb\nc\n")])
  func lastLines(count: Int, expected: String) {
    #expect(LogReader.lastLines(count, of: "a\nb\nc\n") == expected)
  }

  @Test("options come before the environment, an address that is named before one that is found")
  func places() throws {
    let environment = [
      "HOME": "/home/me", "MARTLET_URL": "http://a:1", "MARTLET_TOKEN": "t", "MARTLET_DATA": "/d",
    ]
    func place(url: String? = nil, token: String? = nil, data: String? = nil) throws -> ServerPlace {
      try ServerPlace(url: url, token: token, data: data, environment: environment)
    }
    #expect(try place().namedURL == "http://a:1")
    #expect(try place().namedToken == "t")
    #expect(try place().data.path == "/d")
    #expect(try place(data: "/e").namedURL == nil)
    #expect(try place(data: "/e").namedToken == nil)
    #expect(try place(url: "http://b:2", data: "/e").namedURL == "http://b:2")
    #expect(try place(token: "u").namedToken == "u")
    let bare = try ServerPlace(url: nil, token: nil, data: nil, environment: ["HOME": "/home/me"])
    #expect(bare.data.path == "/home/me/.martlet")
    #expect(bare.isLocal)
    #expect(try place(data: "~/x").data.path == "/home/me/x")
  }
}
