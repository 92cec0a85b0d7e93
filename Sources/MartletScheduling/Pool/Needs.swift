// What an attempt needs while it runs, and how it stands in line for it.

/// What is granted all at once or not at all.
package struct Needs: Sendable, Hashable {
  /// How many devices; 0: a CPU slot.
  package var devices: Int
  /// Bytes that each of them must have free.
  package var deviceMemory: Int64?
  /// Slots of each of them.
  package var deviceSlots: Int
  /// All devices in one machine.
  package var sameHost: Bool
  /// Bytes of the machine's memory, counted against the pool's limit.
  package var memory: Int64

  package init(
    devices: Int = 0, deviceMemory: Int64? = nil, deviceSlots: Int = 1, sameHost: Bool = true,
    memory: Int64 = 0
  ) {
    self.devices = devices
    self.deviceMemory = deviceMemory
    self.deviceSlots = deviceSlots
    self.sameHost = sameHost
    self.memory = memory
  }
}

/// Somebody who asks a pool.
package struct PoolRequest: Sendable, Hashable {
  package var job: JobID
  package var needs: Needs
  /// Higher goes first.
  package var priority: Int
  /// Its place among those of one priority: lower goes first.
  package var ticket: Int
  /// Seconds that it will hold what it gets, as far as anybody knows.
  package var expected: Double?

  package init(job: JobID, needs: Needs, priority: Int = 0, ticket: Int, expected: Double? = nil) {
    self.job = job
    self.needs = needs
    self.priority = priority
    self.ticket = ticket
    self.expected = expected
  }

  /// Whether it stands before `other`.
  func precedes(_ other: PoolRequest) -> Bool {
    priority != other.priority ? priority > other.priority : ticket < other.ticket
  }
}

/// How a pool chooses.
package struct PoolPolicy: Sendable, Hashable {
  /// Weights of free memory and idleness in a device's score; the highest score is granted first.
  package var memoryWeight = 0.6
  package var idleWeight = 0.4
  /// In a set of devices, the least free memory is at least this part of the most; 0: any set will do.
  package var balance = 0.8
  /// A device that nobody here holds and that is busier than this belongs to other people, 0...1.
  package var foreignUtilization = 0.5
  /// Bytes that such a device must have free for requests that name no number; half of its memory where that is less.
  package var foreignFreeMemory: Int64 = 8_000 << 20
  /// A request may pass another that came at most so many requests before it; 0: nobody passes anybody.
  package var backfill = 0
  /// Starts those who need the same together with the first of them, past others that came in between.
  package var groupsEqualNeeds = false
  /// Attempts without devices at a time; nil: no limit.
  package var cpuSlots: Int?
  /// Bytes of memory that all attempts together may ask for; nil: no limit.
  package var memory: Int64?
  /// Bytes of device memory that all attempts together may ask for; nil: no limit.
  package var deviceMemory: Int64?

  package init() {}
}
