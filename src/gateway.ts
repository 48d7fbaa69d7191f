// The interface for gateway functions, published as "tsserve/gateway": types only, nothing is left of it at run time.

export type {
  GatewayClose,
  GatewayContext,
  GatewayFunction,
  GatewayInit,
  GatewayLog,
  GatewayModule,
  GatewayObject,
  InstanceContext,
  NodeListener,
} from './app-host/gateway-function.ts';
