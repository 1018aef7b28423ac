"""A local Azure Functions host, for machines without Azure Functions Core Tools.

Functions are indexed and run by Microsoft's own Python worker library (azure-functions-runtime); this package does
the part that the Functions host does in Azure: HTTP routes and keys, queue polling with leases, retries and poison
queues, timers, queue outputs, and the admin endpoint that runs a function now.

    python -m sandbox.host --app DIR [--port 0] [--ready-file PATH] [--lease-seconds 10] [--grace-seconds 10]

What it does not emulate:

- Triggers other than HTTP, queue and timer; input bindings; outputs other than HTTP and queue; SDK-type (deferred)
  bindings; Durable Functions; binding expressions in braces. The start fails and names them.
- HTTP streaming (FastAPI types) and retry policies of the programming model.
- Scale-out: there is one instance, so no singleton lease for timers. Timer status is not kept over a restart, so
  nothing is past due because the host was down.
- Limits of the platform: functionTimeout, the 230 seconds of an HTTP answer, request sizes (100 MiB here),
  concurrency of HTTP, memory.
- Identity-based connections, key management, CORS, Easy Auth, proxies, Application Insights, the home page, the rest
  of the admin API. There is one function key for all functions.
- A function that exits or crashes the interpreter: sys.exit fails its invocation; a crash ends this host, where Azure
  starts a new worker.
- A message is leased for 10 seconds at a time, not 10 minutes, so that a test sees it again soon after a crash.
- Of host.json: routePrefix, extensions.queues and the default log level are read, the rest is not.
"""
