// Devices taken out of service and back, and the rules of the pool.

import Hummingbird
import MartletModel
import MartletOrchestration

let deviceRoutes: [Route] =
  [
    device(.cordon, "Gives a device to nobody any more; who holds it goes on."),
    device(.drain, "Empties a device: who holds it is asked to make room."),
    device(.uncordon, "Puts a device back into service."),
  ] + [
    Route(
      .patch, "/pool/policy", .server(.admin), "Changes how the pool chooses; what it does not name stays.",
      body: RouteBody(schema: "PoolPolicyPatch", isRequired: true), answer: RouteAnswer(schema: "PoolPolicy")
    ) { request in
      .json(try await request.services.engine.changePolicy(request.json(), access: request.access))
    }
  ]

private func device(_ order: DeviceOrder, _ summary: String) -> Route {
  Route(
    .post, "/pool/devices/:index/\(order.rawValue)", .server(.run), summary,
    body: RouteBody(schema: "DeviceOrder", isRequired: false), answer: RouteAnswer(schema: "PoolDevice")
  ) { request in
    let text = request.parameters["index"] ?? ""
    guard let index = Int(text) else {
      throw Problem(
        .notFound, "There is no device '\(text.prefix(100))'.",
        hint: "Devices are numbered from 0; 'martlet pool' shows them.")
    }
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["reason"])
    let reason = try reader.string("reason")
    if let reason, reason.isEmpty || reason.utf8.count > 1_024 {
      throw JSONMemberError(key: "reason", message: "must be 1 to 1,024 bytes")
    }
    return .json(
      try await request.services.engine.order(order, device: index, reason: reason, access: request.access))
  }
}
