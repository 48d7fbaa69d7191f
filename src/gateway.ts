// The interface for gateway functions, published as "tsserve/gateway": types only, nothing is left of it at run time.

export type {
  GatewayContext,
  GatewayFunction,
  GatewayModule,
  GatewayObject,
  NodeListener,
} from './app-host/gateway-function.ts';
