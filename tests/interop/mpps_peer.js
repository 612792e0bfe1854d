// dcmjs-dimse as a modality or an information system: node mpps_peer.js ROLE ARGUMENT…
//   scu HOST PORT JSON          operations [{create|set: UID, attributes}]; prints [{status, uid}]
//   scp PORT STATUS…            answers every N-CREATE and N-SET with the next status, the last one ever after;
//                               prints each as a line of JSON
const dimse = require('dcmjs-dimse');
const { Client, Dataset, Scp, Server } = dimse;
const { NCreateRequest, NSetRequest } = dimse.requests;
const { NCreateResponse, NSetResponse } = dimse.responses;
const { PresentationContextResult, TransferSyntax } = dimse.constants;
const MPPS = '1.2.840.10008.3.1.2.3.3';
dimse.log.level = 'error';

function scu(host, port, operations) {
  const answers = [];
  const client = new Client();
  for (const one of operations) {
    const request = 'create' in one ? new NCreateRequest(MPPS, one.create) : new NSetRequest(MPPS, one.set);
    request.setDataset(new Dataset(one.attributes));
    request.on('response', (response) => answers.push({ status: response.getStatus(),
                                                         uid: response.getAffectedSopInstanceUid() }));
    client.addRequest(request);
  }
  client.on('closed', () => console.log(JSON.stringify(answers)));
  client.on('networkError', (error) => { console.error(error); process.exit(1); });
  client.send(host, port, 'DCMJS', 'SAGITTA');
}

function scp(port, statuses) {
  function reply(kind, request, response, callback) {
    response.setStatus(statuses.length > 1 ? statuses.shift() : statuses[0]);
    const attributes = request.getDataset() ? request.getDataset().getElements() : {};
    console.log(JSON.stringify({ kind, uid: request.getAffectedSopInstanceUid() || request.getRequestedSopInstanceUid(),
                                 sop_class: request.getAffectedSopClassUid() || request.getRequestedSopClassUid(),
                                 status: response.getStatus(), attributes }));
    callback(response);
  }
  class Peer extends Scp {
    constructor(socket, options) { super(socket, options); this.association = undefined; }
    associationRequested(association) {
      for (const { id } of association.getPresentationContexts()) {
        association.getPresentationContext(id).setResult(PresentationContextResult.Accept,
                                                         TransferSyntax.ExplicitVRLittleEndian);
      }
      this.sendAssociationAccept();
    }
    nCreateRequest(request, callback) { reply('create', request, NCreateResponse.fromRequest(request), callback); }
    nSetRequest(request, callback) { reply('set', request, NSetResponse.fromRequest(request), callback); }
    associationReleaseRequested() { this.sendAssociationReleaseResponse(); }
  }
  new Server(Peer).listen(port);
  console.log('ready');
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'scu') scu(rest[0], Number(rest[1]), JSON.parse(rest[2]));
else scp(Number(rest[0]), rest.slice(1).map(Number));
