declare function loadYaml(): typeof import('yaml');
export = loadYaml;
