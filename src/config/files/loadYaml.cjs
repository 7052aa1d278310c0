'use strict';

/** The YAML parser, loaded when it is first asked for: it has 75 files, and most configurations need none of them. */
module.exports = () => require('yaml');
