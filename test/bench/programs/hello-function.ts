// The gateway function that is measured.

const json = { headers: { 'Content-Type': 'application/json' } };

export default (): Response => new Response('{"hello":"world"}', json);
