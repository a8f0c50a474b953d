// A door for clients that can send no token: what comes to a free loopback port goes on to TARGET with AAR_TOKEN.
// Prints its port; ends with its standard input.
//
//     with-token.mjs TARGET

import http from "node:http";

const target = new URL(process.argv[2]);
const server = http.createServer((request, response) => {
  const { host, hostname, port } = target;
  // A host that does not lead here is passed on as it is, so that the other side can refuse it.
  const own = request.headers.host === `127.0.0.1:${server.address().port}`;
  const headers = { ...request.headers, authorization: "Bearer " + process.env.AAR_TOKEN };
  const onward = { hostname, port, path: request.url, method: request.method, headers: own ? { ...headers, host } : headers };
  const passed = http.request(onward, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  passed.on("error", () => response.destroy());
  request.pipe(passed);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit());
