/** What the builder does not do by itself: style sheets go into the bundle without their comments. */

module.exports = {
  module: {
    rules: [
      {
        test: /\.css$/,
        enforce: 'pre',
        use: [{ loader: require.resolve('./compactCss.js') }]
      }
    ]
  }
};
