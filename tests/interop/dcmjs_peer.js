// dcmjs-dimse as a peer: node dcmjs_peer.js MODULE WHAT PORT [ARGUMENTS]; prints one line of JSON at its end.
const [, , modulePath, what, port, ...more] = process.argv;
const { Client, Server, Scp, requests, responses, constants } = require(modulePath);
const { Status, PresentationContextResult, RejectResult, RejectSource, RejectReason } = constants;

function call(request, extra = {}) {
  const client = new Client();
  const said = { statuses: [], matches: [], stored: [] };
  for (const one of Array.isArray(request) ? request : [request]) {
    one.on('response', (response) => {
      said.statuses.push(response.getStatus());
      if (response.hasDataset()) said.matches.push(response.getDataset().getElements());
    });
    client.addRequest(one);
  }
  client.on('cStoreRequest', (store, callback) => {
    const pixels = store.getDataset().getElements().PixelData;
    said.stored.push([store.getAffectedSopInstanceUid(), new Uint8Array(pixels[0] ?? pixels).length]);
    const response = responses.CStoreResponse.fromRequest(store);
    response.setStatus(Status.Success);
    callback(response);
  });
  client.on('networkError', (error) => { said.error = String(error); });
  client.on('associationRejected', (result) => { said.rejected = [result.result, result.source, result.reason]; });
  client.on('closed', () => { console.log(JSON.stringify(said)); process.exit(0); });
  client.send('127.0.0.1', Number(port), 'DCMJS', extra.called ?? 'SAGITTA', extra);
}

class Acceptor extends Scp {
  associationRequested(association) {
    if (association.getCalledAeTitle() !== 'DCMJS') {
      return this.sendAssociationReject(RejectResult.Permanent, RejectSource.ServiceUser, RejectReason.CalledAeNotRecognized);
    }
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const plain = context.getTransferSyntaxUids().find((uid) => uid === '1.2.840.10008.1.2.1' || uid === '1.2.840.10008.1.2');
      if (plain) context.setResult(PresentationContextResult.Accept, plain);
      else context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported);
    }
    this.sendAssociationAccept();
  }
  answer(kind, request, callback) {
    const response = kind.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }
  cEchoRequest(request, callback) { this.answer(responses.CEchoResponse, request, callback); }
  cStoreRequest(request, callback) {
    console.log(`stored ${request.getAffectedSopInstanceUid()}`);
    this.answer(responses.CStoreResponse, request, callback);
  }
  cFindRequest(request, callback) {
    const match = responses.CFindResponse.fromRequest(request);
    match.setDataset(new (require(modulePath).Dataset)({ PatientID: 'J1', PatientName: 'JOHN^DOE', StudyInstanceUID: '2.25.9' }));
    match.setStatus(Status.Pending);
    const last = responses.CFindResponse.fromRequest(request);
    last.setStatus(Status.Success);
    callback([match, last]);
  }
  associationReleaseRequested() { this.sendAssociationReleaseResponse(); }
}

const jobs = {
  echo: () => call(new requests.CEchoRequest()),
  stranger: () => call(new requests.CEchoRequest(), { called: 'NOBODY' }),
  store: () => call(more.map((path) => new requests.CStoreRequest(path))),
  find: () => call(requests.CFindRequest.createStudyFindRequest({ PatientID: more[0], PatientName: '', StudyInstanceUID: '' })),
  move: () => call(requests.CMoveRequest.createStudyMoveRequest(more[0], more[1])),
  get: () => call(requests.CGetRequest.createStudyGetRequest(more[0])),
  serve: () => { new Server(Acceptor).listen(Number(port)); },
};
jobs[what]();
