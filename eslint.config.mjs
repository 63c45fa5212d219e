import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['**/build/', 'prebuilds/', 'lib/cli/vendor/', '.nodes/', '.kernels/', '.prebuild/'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-constructor-return': 'error',
      'no-else-return': 'error',
      'no-implicit-coercion': ['error', { boolean: false }],
      'no-promise-executor-return': ['error', { allowVoid: true }],
      'no-return-assign': ['error', 'except-parens'],
      'no-self-compare': 'error',
      'no-shadow': 'error',
      'no-template-curly-in-string': 'error',
      'no-throw-literal': 'error',
      'no-unreachable-loop': 'error',
      // A leading underscore says that leaving it unused is meant.
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
      'no-useless-return': 'error',
      'no-var': 'error',
      'object-shorthand': ['error', 'properties'],
      'prefer-const': ['error', { destructuring: 'all' }],
      'prefer-promise-reject-errors': 'error',
      'prefer-rest-params': 'error',
      strict: ['error', 'global'],
    },
  },
  {
    // Parts of it run in the browser.
    files: ['test/report/**'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { sourceType: 'module' },
  },
  {
    // The library prints nothing: what it has to say, it throws, rejects or emits.
    files: ['lib/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            ':function AssignmentExpression[left.type="MemberExpression"][right.type=/Function/]',
          message:
            'V8 makes what is assigned so an old object: all that it refers to, the Buffer of a file say, stays until the next full collection. Give it a name first.',
        },
      ],
    },
  },
  {
    // A script of the page that `uring-fs bench --html` writes.
    files: ['lib/cli/page/**'],
    languageOptions: { globals: { ...globals.browser, Chartist: 'readonly' } },
  },
  {
    files: ['test/**'],
    languageOptions: { globals: { ...globals.mocha, gc: 'readonly' } },
    rules: {
      // `new Promise((resolve) => setTimeout(resolve, 5))`, and a loop that is left on purpose.
      'no-promise-executor-return': 'off',
      'no-unreachable-loop': 'off',
    },
  },
];
