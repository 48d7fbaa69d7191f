import { defineHandler } from 'nitro/h3';

export default defineHandler((event) => ({
  hello: event.context.params?.name,
  query: event.url.searchParams.get('q'),
}));
