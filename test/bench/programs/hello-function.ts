// The gateway function that is measured.

export default (): Response => new Response('{"hello":"world"}');
