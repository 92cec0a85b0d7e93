// The table: all there is under /api/v1, and the health check beside it.

import MartletModel

/// Every route of the server but the dashboard's files.
let apiRoutes: [Route] =
  serverRoutes + sessionRoutes + tokenRoutes + projectRoutes + runRoutes + questionRoutes + runLifeRoutes
  + trackingRoutes
  + historyRoutes + logRoutes + blobRoutes + sweepRoutes
  + runAccountRoutes + derivedRoutes + systemRoutes
  + poolRoutes + deviceRoutes + sweepControlRoutes + agentRoutes
